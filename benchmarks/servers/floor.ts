// The floor: node:http, (inflate,) JSON.parse and the same generated validator; nothing published. What no collector can beat.
import { createServer } from 'node:http';
import { gunzipSync } from 'node:zlib';
import { validateEventsBatch } from '../../schemas/generated/validators.js';

createServer((request, response) => {
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk)).on('end', () => {
    const received = Buffer.concat(chunks);
    const body: unknown = JSON.parse((request.headers['content-encoding'] === 'gzip' ? gunzipSync(received) : received).toString('utf8'));
    const isValid = validateEventsBatch(body);
    response.writeHead(isValid ? 200 : 400, { 'content-type': 'application/json' }).end(isValid ? '{"accepted":true}' : '{"accepted":false}');
  });
}).listen(Number(process.env['PORT']), '127.0.0.1');
