/**
 * Worker that encodes pictures as JPEG, one after the other, off the page's own thread.
 *
 * Takes {number, picture}, an ImageBitmap, and answers {number, picture, bytes}; both go back and forth
 * without a copy. A picture that cannot be encoded is answered by {number, error}.
 */

const QUALITY = 0.9;

const canvas = new OffscreenCanvas(1, 1);
const context = canvas.getContext("2d", { alpha: false, willReadFrequently: true });
let last = Promise.resolve();

async function encode({ number, picture }) {
  if (canvas.width !== picture.width || canvas.height !== picture.height) {
    canvas.width = picture.width;
    canvas.height = picture.height;
  }
  context.drawImage(picture, 0, 0);
  const blob = await canvas.convertToBlob({ type: "image/jpeg", quality: QUALITY });
  const bytes = await blob.arrayBuffer();
  self.postMessage({ number, picture, bytes }, [picture, bytes]);
}

self.onmessage = ({ data }) => {
  last = last
    .then(() => encode(data))
    .catch((error) => self.postMessage({ number: data.number, error: String(error) }));
};
