// The records that are kept on disk and in memory: a bucket, an object, and what a writer knows of a new object.

/** Cloud Storage's object resource, without what follows from it (id, links, etag). */
export type StoredObject = {
  name: string;
  generation: string;
  metageneration: string;
  size: string;
  crc32c: string;
  md5Hash?: string;
  contentType?: string;
  componentCount?: number;
  timeCreated: string;
  updated: string;
  /** These three stand in the file's name, see versions.ts. */
  timeDeleted?: string;
  softDeleteTime?: string;
  hardDeleteTime?: string;
  /** When an event-based hold was taken off; told to nobody. */
  releasedTime?: string;
  /** The resumable upload that made it; told to nobody. */
  uploadId?: string;
  [writable: string]: unknown;
};
export type StoredBucket = { name: string; metageneration: string; timeCreated: string; updated: string; project?: string; [writable: string]: unknown };

/** Fields of a new object that its writer knows; the store adds the rest. */
export type NewObject = { name: string; crc32c: string; md5Hash?: string; componentCount?: number; [writable: string]: unknown };
