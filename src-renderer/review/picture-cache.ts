/** A picture on its way to the screen, or ready to be put there without a wait. */
export interface Picture {
  readonly url: string;
  readonly element: HTMLImageElement;
  /** `loading` until it is decoded. */
  status: 'loading' | 'ready' | 'failed';
  /** Resolves when the status is final. */
  readonly settled: Promise<void>;
}

/** Loads and decodes pictures ahead of need and keeps the last few. */
export class PictureCache {
  readonly #pictures = new Map<string, Picture>();
  readonly #capacity: number;

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  /** The picture at an address, which starts to load if it is not known. */
  get(url: string): Picture {
    const known = this.#pictures.get(url);
    if (known !== undefined) {
      // Insertion order is the order of use.
      this.#pictures.delete(url);
      this.#pictures.set(url, known);
      return known;
    }
    const picture = load(url);
    this.#pictures.set(url, picture);
    for (const oldest of this.#pictures.keys()) {
      if (this.#pictures.size <= this.#capacity) break;
      this.#pictures.delete(oldest);
    }
    return picture;
  }

  /** Forgets a picture, so that the next `get` tries again. */
  forget(url: string): void {
    this.#pictures.delete(url);
  }
}

function load(url: string): Picture {
  const element = new Image();
  element.decoding = 'async';
  element.src = url;
  const settled = element.decode().then(
    () => {
      picture.status = 'ready';
    },
    () => {
      picture.status = 'failed';
    },
  );
  const picture: Picture = { url, element, status: 'loading', settled };
  return picture;
}
