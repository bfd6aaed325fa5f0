// The calls of google.pubsub.v1.Subscriber that make, change and show subscriptions. server.ts registers them.
import { randomBytes } from 'node:crypto';
import { pageOf, prefixOf, type Call, type PageRequest, type Request } from './calls.ts';
import type { Subscription } from './catalogue.ts';
import { applyMask } from './field-mask.ts';
import type { PushConfig } from './push-config.ts';
import { notFound } from './refusal.ts';
import { checkName, checkSubscription, SUBSCRIPTION_CHANGEABLE, type SubscriptionResource } from './resources.ts';
import type { Store } from './store.ts';
import { subscriptionView } from './views.ts';

export function subscriberCalls(store: Store, changed: (subscription: Subscription) => void): Record<string, Call> {
  const { catalogue } = store;
  const named = (name: string): Subscription => catalogue.subscription(checkName('subscriptions', name));
  const update = async (subscription: Subscription, resource: SubscriptionResource): Promise<void> => {
    await store.updateSubscription(subscription, resource);
    subscription.activeMs = store.now();
    changed(subscription);
  };
  const refuseMissingDeadLetterTopic = ({ dead_letter_policy: policy }: SubscriptionResource): void => {
    if (policy !== undefined && !catalogue.topics.has(policy.dead_letter_topic!)) throw notFound(policy.dead_letter_topic!);
  };
  return {
    async CreateSubscription(request: Request) {
      const topic = checkName('topics', request['topic'] as string);
      const name = request['name'] || `projects/${topic.split('/')[1]}/subscriptions/s${randomBytes(8).toString('hex')}`;
      const resource = checkSubscription({ ...request, name });
      refuseMissingDeadLetterTopic(resource);
      await store.createSubscription(resource);
      changed(named(resource.name));
      return subscriptionView(named(resource.name));
    },
    async GetSubscription({ subscription }: { subscription: string }) {
      return subscriptionView(named(subscription));
    },
    async UpdateSubscription({ subscription: patch, update_mask: mask }: { subscription?: Request; update_mask?: { paths?: string[] } }) {
      const subscription = named(patch?.['name'] as string);
      const updated = checkSubscription(applyMask(subscription.resource, patch!, mask?.paths, SUBSCRIPTION_CHANGEABLE), subscription.resource);
      if (mask!.paths!.some((path) => path.startsWith('dead_letter_policy'))) refuseMissingDeadLetterTopic(updated);
      await update(subscription, updated);
      return subscriptionView(subscription);
    },
    async ListSubscriptions(request: PageRequest & { project?: string }) {
      const prefix = prefixOf(request.project);
      const { items, next } = pageOf([...catalogue.subscriptions.values()].map(subscriptionView).filter(({ name }) => name.startsWith(prefix)), request);
      return { subscriptions: items, next_page_token: next };
    },
    async DeleteSubscription({ subscription: name }: { subscription: string }) {
      const subscription = named(name);
      await store.deleteSubscription(subscription);
      changed(subscription);
      return {};
    },
    async ModifyPushConfig({ subscription: name, push_config: push }: { subscription: string; push_config?: PushConfig }) {
      const subscription = named(name);
      await update(subscription, checkSubscription({ ...subscription.resource, push_config: push ?? {} }, subscription.resource));
      return {};
    },
  } as Record<string, Call>;
}
