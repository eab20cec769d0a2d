/** The files of the pictures that a model is made int8 with. */
import { picturesIn } from '../image/folder.ts';
import { ENOUGH_PICTURES } from '../m2fp/int8-origin.ts';
import { drawnScenesFolder } from '../paths.ts';

/** More tell nothing new, and take time. */
const MOST = 200;

/**
 * The paths of the folder's pictures, by default of the drawn scenes that come with the package, in the order of their
 * names; of very many, some from everywhere in between.
 * @throws M2fpError M2FP_NO_IMAGE where there are none
 */
export function listPictures(folder: string = drawnScenesFolder()): Promise<string[]> {
  return picturesIn(
    folder,
    MOST,
    `${ENOUGH_PICTURES} or more there that are like those that the model will see`,
  );
}
