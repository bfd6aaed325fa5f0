// Topics and subscriptions as they are answered: what is stored, and what only the service says.
import type { Subscription } from './catalogue.ts';
import type { TopicResource } from './resources.ts';

export const topicView = (resource: TopicResource): object => ({ ...resource, state: 'ACTIVE' });

export function subscriptionView({ resource, topic }: Pick<Subscription, 'resource' | 'topic'>): { name: string; state: string } {
  const retention = topic?.resource.message_retention_duration;
  return { ...resource, state: 'ACTIVE', ...(retention === undefined ? {} : { topic_message_retention_duration: retention }) };
}
