// The calls of google.pubsub.v1.Subscriber about snapshots. server.ts registers them.
import { pageOf, prefixOf, type Call, type PageRequest, type Request } from './calls.ts';
import { applyMask } from './field-mask.ts';
import { refuseDetached } from './message-calls.ts';
import { alreadyExists } from './refusal.ts';
import { checkLabels, checkName } from './resources.ts';
import { makeSnapshot, snapshotView, type CreateSnapshotRequest, type SnapshotResource } from './snapshots.ts';
import type { Store } from './store.ts';

const CHANGEABLE = ['labels', 'expire_time'];

export function snapshotCalls(store: Store): Record<string, Call> {
  const { catalogue } = store;
  const view = (snapshot: SnapshotResource): object => snapshotView(snapshot, catalogue.topicNumbered(snapshot.topic_number)?.resource.name);
  return {
    async CreateSnapshot(request: CreateSnapshotRequest) {
      const subscription = catalogue.subscription(checkName('subscriptions', request.subscription));
      refuseDetached(subscription);
      if (request.name && catalogue.snapshots.has(checkName('snapshots', request.name))) throw alreadyExists(request.name);
      const snapshot = makeSnapshot(request, subscription, store.now(), store.lastHandedId);
      await store.putSnapshot(snapshot);
      subscription.activeMs = store.now();
      return view(snapshot);
    },
    async GetSnapshot({ snapshot }: { snapshot: string }) {
      return view(catalogue.snapshot(checkName('snapshots', snapshot)));
    },
    async ListSnapshots(request: PageRequest & { project?: string }) {
      const prefix = prefixOf(request.project);
      const { items, next } = pageOf([...catalogue.snapshots.values()].filter(({ name }) => name.startsWith(prefix)), request);
      return { snapshots: items.map(view), next_page_token: next };
    },
    async UpdateSnapshot({ snapshot: patch, update_mask: mask }: { snapshot?: Request; update_mask?: { paths?: string[] } }) {
      const snapshot = catalogue.snapshot(checkName('snapshots', patch?.['name'] as string));
      const { labels, expire_time: expire } = applyMask({ labels: snapshot.labels }, patch!, mask?.paths, CHANGEABLE) as { labels?: Record<string, string>; expire_time?: { seconds?: string; nanos?: number } };
      checkLabels(labels);
      const changed = { ...snapshot, labels: labels ?? {}, ...(expire ? { expire_ms: Number(expire.seconds ?? 0) * 1_000 + (expire.nanos ?? 0) / 1e6 } : {}) };
      await store.putSnapshot(changed);
      return view(changed);
    },
    async DeleteSnapshot({ snapshot }: { snapshot: string }) {
      await store.deleteSnapshot(catalogue.snapshot(checkName('snapshots', snapshot)));
      return {};
    },
  } as Record<string, Call>;
}
