// Google's Cloud Storage client as the few calls that the compaction needs. Made by function.ts.
import { Storage } from '@google-cloud/storage';
import type { File } from '@google-cloud/storage';
import { inTime } from '../in-time.ts';
import type { CompactionApi, StoredObject } from './compact.ts';

const codeOf = (error: unknown): number => Number((error as { code?: number | string }).code);
const stored = ({ name, metadata }: File): StoredObject => ({
  name,
  generation: String(metadata.generation),
  bytes: Number(metadata.size),
  metadata: (metadata.metadata ?? {}) as Record<string, string>,
});

export function compactionApiOf(projectId: string, bucketName: string): CompactionApi {
  const bucket = new Storage({ projectId, retryOptions: { autoRetry: true, maxRetries: 3, totalTimeout: 20 } }).bucket(bucketName);
  return {
    async list(prefix) {
      const [files] = await inTime(bucket.getFiles({ prefix }), `listing ${prefix}`);
      return files.map(stored).sort((left, right) => (left.name < right.name ? -1 : 1));
    },
    async readJson(name) {
      try {
        const [bytes] = await inTime(bucket.file(name).download(), `reading ${name}`);
        return JSON.parse(bytes.toString());
      } catch (error) {
        if (codeOf(error) === 404) return undefined;
        throw error;
      }
    },
    async createJson(name, value) {
      try {
        await inTime(bucket.file(name).save(JSON.stringify(value), { resumable: false, contentType: 'application/json', preconditionOpts: { ifGenerationMatch: 0 } }), `creating ${name}`);
        return true;
      } catch (error) {
        if (codeOf(error) === 412) return false;
        throw error;
      }
    },
    async compose(name, sources, ifGeneration) {
      const target = bucket.file(name);
      target.metadata.contentType = 'application/gzip';
      const files = sources.map((source) => bucket.file(source.name, { generation: source.generation }));
      try {
        await inTime(bucket.combine(files, target, { ifGenerationMatch: Number(ifGeneration) }), `composing ${name}`);
      } catch (error) {
        // Somebody else changed the target, or took a source away: both mean that this run is not alone.
        if (codeOf(error) === 412 || codeOf(error) === 404) return undefined;
        throw error;
      }
      const made = bucket.file(name);
      await inTime(made.getMetadata(), `reading ${name}`);
      return stored(made);
    },
    async setMetadata(name, metadata) {
      await inTime(bucket.file(name).setMetadata({ metadata }), `describing ${name}`);
    },
    async remove(name, generation) {
      const file = generation === undefined ? bucket.file(name) : bucket.file(name, { generation });
      await inTime(file.delete({ ignoreNotFound: true }), `deleting ${name}`);
    },
  };
}
