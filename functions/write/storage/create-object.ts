// Google's Cloud Storage client as the one function that the archive needs. Made by function.ts.
import { Storage } from '@google-cloud/storage';
import { inTime } from '../../in-time.ts';
import type { CreateObject } from './archive-message.ts';

/** The client would try for ten minutes; Pub/Sub sends again after ten seconds. */
const RETRIES = { autoRetry: true, maxRetries: 2, totalTimeout: 15 };

export function createObjectsIn(projectId: string, bucketName: string): CreateObject {
  const bucket = new Storage({ projectId, retryOptions: RETRIES }).bucket(bucketName);
  return async ({ name, bytes, contentType, md5Base64, metadata }) => {
    try {
      await inTime(bucket.file(name).save(bytes, {
        resumable: false,
        // The service compares with md5Hash before the object exists. The client's own check would delete afterwards,
        // and this function's account may create objects and nothing else.
        validation: false,
        // Without a precondition the client never retries; with it a lost reply is answered 412 the second time.
        preconditionOpts: { ifGenerationMatch: 0 },
        metadata: { contentType, md5Hash: md5Base64, metadata },
      }), `creating ${name}`);
      return true;
    } catch (error) {
      const { code, message = '' } = error as { code?: number | string; message?: string };
      // There already: the name holds Pub/Sub's message id, which is unique in its topic, so it is this message.
      if (Number(code) === 412) return false;
      // Nothing documents whether the precondition is looked at before the right to replace, which this account lacks. It is refused that
      // right only where there is an object. https://cloud.google.com/storage/docs/access-control/iam-permissions
      if (Number(code) === 403 && message.includes('storage.objects.delete')) return false;
      throw error;
    }
  };
}
