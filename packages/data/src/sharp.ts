import sharp from 'sharp';

// Every image is seen once: a cache of operations would only hold memory.
sharp.cache(false);

export { sharp };
