/** Longest side, px, to which a small picture may be enlarged. */
const enlargedSide = 560;
/** Larger pictures may still grow by this much to fill the stage. */
const enlargement = 2;

/** The size at which a picture is shown: as large as fits, but tiny pictures are not blown up beyond what they can bear. */
export function fitPicture(
  picture: { width: number; height: number },
  stage: { width: number; height: number },
): { width: number; height: number } {
  const longest = Math.max(picture.width, picture.height, 1);
  const most = Math.max(enlargement, enlargedSide / longest);
  const scale = Math.min(stage.width / Math.max(1, picture.width), stage.height / Math.max(1, picture.height), most);
  return {
    width: Math.max(1, Math.round(picture.width * scale)),
    height: Math.max(1, Math.round(picture.height * scale)),
  };
}
