/** The bar below a video: its time, and a slider to move in it. */

/** Slider and time; ``onSeek(timeS)`` is called when the user moves the slider. */
export class FilmBar {
  #bar = document.getElementById("film-bar");
  #slider = document.getElementById("seek");
  #time = document.getElementById("film-time");

  constructor(onSeek) {
    this.#slider.addEventListener("input", () => onSeek(Number(this.#slider.value)));
  }

  hide() {
    this.#bar.hidden = true;
  }

  show({ timeS, durationS }) {
    const text = `${clock(timeS)} / ${clock(durationS)}`;
    this.#bar.hidden = false;
    this.#slider.max = durationS;
    this.#slider.value = timeS;
    this.#slider.setAttribute("aria-valuetext", text);
    this.#time.textContent = text;
  }
}

/** Return seconds as minutes and seconds, such as 0:12. */
function clock(timeS) {
  const seconds = Math.floor(timeS);
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
}
