/** Files that are dropped on the page or chosen in the browser's dialog. */

/** Call ``open(file, others)`` for a file; ``others`` counts those that came with it. */
export function listenToFiles(open) {
  const cover = document.getElementById("drop");
  const chooser = document.getElementById("file");
  const holdsFiles = (event) => [...(event.dataTransfer?.types ?? [])].includes("Files");
  document.addEventListener("dragover", (event) => {
    if (!holdsFiles(event)) return;
    event.preventDefault();
    cover.hidden = false;
  });
  document.addEventListener("dragleave", (event) => {
    if (!event.relatedTarget) cover.hidden = true; // out of the window
  });
  document.addEventListener("drop", (event) => {
    cover.hidden = true;
    if (!holdsFiles(event)) return;
    event.preventDefault();
    const { files } = event.dataTransfer;
    if (files.length) open(files[0], files.length - 1);
  });
  chooser.addEventListener("change", () => {
    if (chooser.files.length) open(chooser.files[0], 0);
    chooser.value = ""; // the same file may be chosen again
  });
}

/** Return whether a file is a video, by what the browser takes it for or by its name. */
export function isVideo({ type, name }) {
  return type.startsWith("video/") || /\.(avi|m2ts|m4v|mkv|mov|mp4|mpe?g|mts|ts|webm|wmv)$/i.test(name);
}
