// The tutorial way: functions-framework with its body parser, the same validator, and one Pub/Sub message for each event.
import { http } from '@google-cloud/functions-framework';
import { PubSub } from '@google-cloud/pubsub';
import { validateEventsBatch } from '../../schemas/generated/validators.js';

const topic = new PubSub().topic('tutorial');

http('tutorial', async (request, response) => {
  const body = request.body as { events: unknown[] };
  if (!validateEventsBatch(body)) {
    response.status(400).json({ accepted: 0 });
    return;
  }
  await Promise.all(body.events.map((event) => topic.publishMessage({ json: event as object })));
  response.status(200).json({ accepted: body.events.length });
});
