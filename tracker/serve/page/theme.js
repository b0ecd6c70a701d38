/**
 * The look of every picture: the colours and sizes of tracker/drawing/theme.py, for a canvas.
 *
 * Sizes are pixels of the picture that is drawn on and follow the face up to a limit.
 * tests/tracker/serve/test_page_theme.py holds this table to the one of Python.
 */

/** Colours of faces, apart for colour-blind eyes; colorOf binds them to ids. */
export const FACE_COLORS = ["#5eead4", "#ffb224", "#c9b0ff", "#e8505b", "#f4f4b0", "#1f77e0"];

/** The same hues, dark enough for lines on white. */
export const PRINTED_COLORS = ["#0e9f8e", "#d98a00", "#9a6ae0", "#d63c48", "#9c9a2c", "#1f77e0"];

/** Colour of a landmark's dot. */
export const DOT = "#ffffff";

/** Dark colour of rings around dots, and of text on a colour. */
export const INK = "#14161a";

/** Colour of the background of a picture of which only the drawing is shown. */
export const PLAIN = "#202020";

const FULL_HD = 1080;

/** Return the colour of a track; consecutive ids differ. */
export function colorOf(id, colors = FACE_COLORS) {
  return colors[(id - 1) % colors.length];
}

/** Return the factor on the upper limits of sizes in a picture of so many pixels; 1 up to Full HD. */
export function pictureScale(width, height) {
  return Math.max(Math.min(width, height) / FULL_HD, 1);
}

/** Return the sizes of all strokes in a face of ``size`` pixels across. */
export function strokes(size, scale = 1) {
  const line = Math.min(Math.max(size / 130, 0.5), 2.2 * scale);
  return {
    dot: Math.min(Math.max(size / 85, 0.9), 3.2 * scale),
    ring: Math.min(Math.max(size / 300, 0.4), 1.0 * scale),
    line,
    mesh: Math.max(0.65 * line, 0.6),
    corner: Math.max(line, 1.33),
    pill: Math.min(Math.max(size / 12, 15), 26 * scale),
  };
}
