// How the faults of Cloud Storage look to Google's client: failure-rows.ts names these functions.
import { expect } from 'vitest';
import { expectCode, type Show } from './cloud.ts';

const uploadFailsWith = (status: number): Show => async (cloud, order) => {
  const file = cloud.clients.storage.bucket(cloud.bucket).file(`status-${status}`);
  await order();
  await expectCode(file.save('bytes', { resumable: false }), status);
  expect((await file.exists())[0]).toBe(false);
};

export const STORAGE_SHOWS: Record<string, Show> = {
  uploadFailsWith503: uploadFailsWith(503),
  uploadFailsWith429: uploadFailsWith(429),

  async uploadFailsAndIsThere(cloud, order) {
    const file = cloud.clients.storage.bucket(cloud.bucket).file('answer-lost');
    await order();
    await expectCode(file.save('bytes', { resumable: false, preconditionOpts: { ifGenerationMatch: 0 } }), 503);
    // What a client that repeats it meets: the object is there already.
    await expectCode(file.save('bytes', { resumable: false, preconditionOpts: { ifGenerationMatch: 0 } }), 412);
    expect((await file.download())[0].toString()).toBe('bytes');
  },

  async aTruncatedUploadIsRefused(cloud, order) {
    const file = cloud.clients.storage.bucket(cloud.bucket).file('truncated');
    await order();
    // The client gives the checksum of what it sent, as the product does.
    await expectCode(file.save('0123456789', { resumable: false, validation: false, metadata: { md5Hash: 'eB5eJF1ptWaXm4bijSPyxw==' } }), 400);
    expect((await file.exists())[0]).toBe(false);
  },
};
