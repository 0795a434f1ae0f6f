// Puts this lvsj's programs in the place of a running director's, while packets flow. The new ones work on
// the maps that are there, so that each packet meets a whole director: old or new, on the same state.
//
// lvsj_control is the last, and with it comes the map that says what the programs were loaded from: who
// is killed before leaves old and new side by side, and the next upgrade finds an old one to replace.

import { Director, families } from './director.ts';
import { DirectorObject, digestMap, objectPath, readDigest } from './object.ts';
import { replaceOnRoutes } from './objects.ts';
import { attachControl, holdPrograms, replaceOnLinks, routeToDirector } from './programs.ts';

/** Whether the running director was loaded from this object. Its age is not asked: going back is an upgrade, too. */
export function isCurrent({ maps }: Director, path = objectPath): boolean {
  const loaded = maps.byName.get(digestMap)?.get(Buffer.alloc(4));
  return loaded?.equals(readDigest(path)) ?? false;
}

/**
 * Whether the programs had to be replaced; the director that was given goes on with those that run then. The
 * caller holds the lock.
 */
export function upgradeIfNeeded(director: Director, path = objectPath): boolean {
  if (isCurrent(director, path)) return false;
  loadAnew(director, path);
  return true;
}

/** All programs, for the maps that there are; the director that was given goes on with them. */
export function loadAnew(director: Director, path = objectPath): void {
  takeOver(director, path);
  director.renew();
}

function takeOver({ maps }: Director, path: string): void {
  const object = new DirectorObject(path, maps);
  try {
    const control = object.bindControl();
    const programs = object.routePrograms();
    routeToDirector(programs, families());
    replaceOnLinks(object, maps);
    replaceOnRoutes(programs.uplinkOut, families());
    holdPrograms(object);
    new Director(control, object.maps()).takeTime();
    attachControl(control);
  } finally {
    object.close();
  }
}
