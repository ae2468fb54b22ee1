export { describeIoError, errorCode, type FileSource, fileSource, writeFileAtomic } from './node-io.ts';
