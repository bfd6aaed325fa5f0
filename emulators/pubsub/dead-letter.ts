// A message that was delivered too often goes to the dead-letter topic with Google's attributes; backlog.ts then lets go of it.
// A crash between the two leaves it in both places: at Google, too, a message may be dead-lettered twice.
import type { Delivery } from './delivery.ts';
import type { Subscription } from './catalogue.ts';
import { protobufTime } from './push-body.ts';
import type { Store } from './store.ts';
import { encodeMessage, readMessage } from './wire.ts';

/** True when it stands in the dead-letter topic; false when there is no such topic, or it could not be written. */
export async function deadLetter(store: Store, subscription: Subscription, { entry, attempt }: Delivery): Promise<boolean> {
  const topic = store.catalogue.topics.get(subscription.resource.dead_letter_policy?.dead_letter_topic ?? '');
  if (topic === undefined) return false;
  const message = readMessage(store.rawOf(entry));
  const [, project, , name] = subscription.resource.name.split('/');
  const attributes = new Map([
    ...message.attributes,
    ['CloudPubSubDeadLetterSourceDeliveryCount', String(attempt)],
    ['CloudPubSubDeadLetterSourceSubscription', name!],
    ['CloudPubSubDeadLetterSourceSubscriptionProject', project!],
    ['CloudPubSubDeadLetterSourceTopicPublishTime', protobufTime(entry.publishMs)],
  ]);
  return store.publish(topic, [encodeMessage({ ...message, attributes })]).then(() => true, () => false);
}
