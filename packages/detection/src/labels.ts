import { AsMlpError } from '@as-mlp/base';

/** The 80 classes of COCO 2017 in the order of the official outputs. */
export const COCO_CLASSES: readonly string[] = (
  'person,bicycle,car,motorcycle,airplane,bus,train,truck,boat,traffic light,fire hydrant,stop sign,parking meter,bench,' +
  'bird,cat,dog,horse,sheep,cow,elephant,bear,zebra,giraffe,backpack,umbrella,handbag,tie,suitcase,frisbee,skis,' +
  'snowboard,sports ball,kite,baseball bat,baseball glove,skateboard,surfboard,tennis racket,bottle,wine glass,cup,fork,' +
  'knife,spoon,bowl,banana,apple,sandwich,orange,broccoli,carrot,hot dog,pizza,donut,cake,chair,couch,potted plant,bed,' +
  'dining table,toilet,tv,laptop,mouse,remote,keyboard,cell phone,microwave,oven,toaster,sink,refrigerator,book,clock,' +
  'vase,scissors,teddy bear,hair drier,toothbrush'
).split(',');

/**
 * Labels for a detector of `count` classes: those that its file or caller names, else COCO's for 80 classes, else
 * `class 0`, `class 1`, ….
 *
 * @throws AsMlpError `weights` when there is not one name a class.
 */
export function labelsFor(count: number, named?: readonly string[], source = 'weights'): readonly string[] {
  if (named) {
    if (named.length === count) return named;
    throw new AsMlpError('weights', {
      where: source,
      what: `${named.length} class names for a detector of ${count} classes`,
      fix: 'Use a list with one name a class',
    });
  }
  if (count === COCO_CLASSES.length) return COCO_CLASSES;
  return Array.from({ length: count }, (_, index) => `class ${index}`);
}
