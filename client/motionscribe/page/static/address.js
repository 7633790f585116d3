// The address of the page says what is shown, so that it can be bookmarked: #STREAM, or #wall.

const WALL = "#wall";

/** {wall, stream}: whether the wall is asked for; else the id of a stream, null where the address names none. */
export function readAddress() {
  if (location.hash === WALL) return { wall: true, stream: null };
  try {
    return { wall: false, stream: decodeURIComponent(location.hash.slice(1)) || null };
  } catch {
    return { wall: false, stream: null }; // somebody's typing
  }
}

/** Of the wall. */
export function writeWallAddress() {
  history.replaceState(null, "", WALL);
}

/** Of a stream; one that is called "wall" is written in another way than the wall. */
export function writeStreamAddress(stream) {
  const hash = `#${encodeURIComponent(stream ?? "")}`;
  history.replaceState(null, "", hash === WALL ? "#%77all" : hash);
}
