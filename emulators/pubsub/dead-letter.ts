// A message that was delivered too often goes to the dead-letter topic with Google's attributes; backlog.ts then lets go of it.
// A crash between the two leaves it in both places: at Google, too, a message may be dead-lettered twice.
import { pauseFor, type Faults } from '../faults.ts';
import { DEAD_LETTER, takeInner } from './fault-points.ts';
import type { Delivery } from './delivery.ts';
import type { Subscription } from './catalogue.ts';
import { protobufTime } from './push-body.ts';
import type { Store } from './store.ts';
import { encodeMessage, readMessage } from './wire.ts';

/** True when it stands in the dead-letter topic; false when there is no such topic, or it could not be written. */
export async function deadLetter(faults: Faults, store: Store, subscription: Subscription, { entry, attempt }: Delivery): Promise<boolean> {
  const plan = takeInner(faults, DEAD_LETTER, subscription.resource.name);
  if (plan !== undefined) await pauseFor(plan);
  if (plan?.kind === 'fail') return false;
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
  const letter = encodeMessage({ ...message, attributes });
  return store.publish(topic, plan?.kind === 'duplicate' ? [letter, letter] : [letter]).then(() => true, () => false);
}
