// Every method of Cloud Storage's JSON API: its path and the query parameters that it takes. call.ts finds the method of a request here, and
// refuses what the method does not take. A method without a handler in server.ts is refused by its name.

/** [HTTP method, path, parameters]. `*`: must be there. `!`: Google takes it, this service does not: refused by name. */
export const METHODS: Record<string, readonly [string, string, string]> = {
  'buckets.insert': ['POST', 'b', 'project* projection userProject !predefinedAcl !predefinedDefaultObjectAcl !enableObjectRetention'],
  'buckets.list': ['GET', 'b', 'project* maxResults pageToken prefix projection userProject !softDeleted !returnPartialSuccess'],
  'buckets.get': ['GET', 'b/{bucket}', 'ifMetagenerationMatch ifMetagenerationNotMatch projection userProject !generation !softDeleted'],
  'buckets.patch': ['PATCH', 'b/{bucket}', 'ifMetagenerationMatch ifMetagenerationNotMatch projection userProject !predefinedAcl !predefinedDefaultObjectAcl'],
  'buckets.update': ['PUT', 'b/{bucket}', 'ifMetagenerationMatch ifMetagenerationNotMatch projection userProject !predefinedAcl !predefinedDefaultObjectAcl'],
  'buckets.delete': ['DELETE', 'b/{bucket}', 'ifMetagenerationMatch ifMetagenerationNotMatch userProject'],
  'buckets.lockRetentionPolicy': ['POST', 'b/{bucket}/lockRetentionPolicy', 'ifMetagenerationMatch* userProject'],
  'buckets.getStorageLayout': ['GET', 'b/{bucket}/storageLayout', 'prefix userProject'],
  'managedFolders.list': ['GET', 'b/{bucket}/managedFolders', 'pageSize pageToken prefix userProject'],
  'objects.list': ['GET', 'b/{bucket}/o', 'delimiter endOffset includeFoldersAsPrefixes includeTrailingDelimiter matchGlob maxResults pageToken prefix projection softDeleted startOffset userProject versions !filter'],
  'objects.get': ['GET', 'b/{bucket}/o/{object}', 'generation ifGenerationMatch ifGenerationNotMatch ifMetagenerationMatch ifMetagenerationNotMatch projection softDeleted userProject !restoreToken'],
  'objects.insert': ['POST', 'b/{bucket}/o', 'contentEncoding ifGenerationMatch ifGenerationNotMatch ifMetagenerationMatch ifMetagenerationNotMatch name projection upload_id userProject !kmsKeyName !predefinedAcl'],
  'objects.patch': ['PATCH', 'b/{bucket}/o/{object}', 'generation ifGenerationMatch ifGenerationNotMatch ifMetagenerationMatch ifMetagenerationNotMatch projection userProject !overrideUnlockedRetention !predefinedAcl'],
  'objects.update': ['PUT', 'b/{bucket}/o/{object}', 'generation ifGenerationMatch ifGenerationNotMatch ifMetagenerationMatch ifMetagenerationNotMatch projection userProject !overrideUnlockedRetention !predefinedAcl'],
  'objects.delete': ['DELETE', 'b/{bucket}/o/{object}', 'generation ifGenerationMatch ifGenerationNotMatch ifMetagenerationMatch ifMetagenerationNotMatch userProject'],
  'objects.compose': ['POST', 'b/{bucket}/o/{object}/compose', 'ifGenerationMatch ifMetagenerationMatch userProject !destinationPredefinedAcl !kmsKeyName'],
  'objects.copy': ['POST', 'b/{bucket}/o/{object}/copyTo/b/{toBucket}/o/{toObject}', 'ifGenerationMatch ifGenerationNotMatch ifMetagenerationMatch ifMetagenerationNotMatch ifSourceGenerationMatch ifSourceGenerationNotMatch ifSourceMetagenerationMatch ifSourceMetagenerationNotMatch projection sourceGeneration userProject !destinationKmsKeyName !destinationPredefinedAcl'],
  'objects.rewrite': ['POST', 'b/{bucket}/o/{object}/rewriteTo/b/{toBucket}/o/{toObject}', 'ifGenerationMatch ifGenerationNotMatch ifMetagenerationMatch ifMetagenerationNotMatch ifSourceGenerationMatch ifSourceGenerationNotMatch ifSourceMetagenerationMatch ifSourceMetagenerationNotMatch maxBytesRewrittenPerCall projection rewriteToken sourceGeneration userProject !destinationKmsKeyName !destinationPredefinedAcl'],
  'objects.move': ['POST', 'b/{bucket}/o/{object}/moveTo/o/{toObject}', 'ifGenerationMatch ifGenerationNotMatch ifMetagenerationMatch ifMetagenerationNotMatch ifSourceGenerationMatch ifSourceGenerationNotMatch ifSourceMetagenerationMatch ifSourceMetagenerationNotMatch projection userProject'],
  'objects.restore': ['POST', 'b/{bucket}/o/{object}/restore', 'generation* ifGenerationMatch ifGenerationNotMatch ifMetagenerationMatch ifMetagenerationNotMatch projection userProject !copySourceAcl !restoreToken'],

  'objects.bulkRestore': ['POST', 'b/{bucket}/o/bulkRestore', ''],
  'objects.watchAll': ['POST', 'b/{bucket}/o/watch', ''],
  'objects.getIamPolicy': ['GET', 'b/{bucket}/o/{object}/iam', ''],
  'objects.setIamPolicy': ['PUT', 'b/{bucket}/o/{object}/iam', ''],
  'objects.testIamPermissions': ['GET', 'b/{bucket}/o/{object}/iam/testPermissions', ''],
  'buckets.getIamPolicy': ['GET', 'b/{bucket}/iam', ''],
  'buckets.setIamPolicy': ['PUT', 'b/{bucket}/iam', ''],
  'buckets.testIamPermissions': ['GET', 'b/{bucket}/iam/testPermissions', ''],
  'buckets.restore': ['POST', 'b/{bucket}/restore', ''],
  'buckets.relocate': ['POST', 'b/{bucket}/relocate', ''],
  'bucketAccessControls.list': ['GET', 'b/{bucket}/acl', ''],
  'bucketAccessControls.insert': ['POST', 'b/{bucket}/acl', ''],
  'bucketAccessControls.get': ['GET', 'b/{bucket}/acl/{entity}', ''],
  'bucketAccessControls.patch': ['PATCH', 'b/{bucket}/acl/{entity}', ''],
  'bucketAccessControls.update': ['PUT', 'b/{bucket}/acl/{entity}', ''],
  'bucketAccessControls.delete': ['DELETE', 'b/{bucket}/acl/{entity}', ''],
  'defaultObjectAccessControls.list': ['GET', 'b/{bucket}/defaultObjectAcl', ''],
  'defaultObjectAccessControls.insert': ['POST', 'b/{bucket}/defaultObjectAcl', ''],
  'defaultObjectAccessControls.get': ['GET', 'b/{bucket}/defaultObjectAcl/{entity}', ''],
  'defaultObjectAccessControls.patch': ['PATCH', 'b/{bucket}/defaultObjectAcl/{entity}', ''],
  'defaultObjectAccessControls.update': ['PUT', 'b/{bucket}/defaultObjectAcl/{entity}', ''],
  'defaultObjectAccessControls.delete': ['DELETE', 'b/{bucket}/defaultObjectAcl/{entity}', ''],
  'objectAccessControls.list': ['GET', 'b/{bucket}/o/{object}/acl', ''],
  'objectAccessControls.insert': ['POST', 'b/{bucket}/o/{object}/acl', ''],
  'objectAccessControls.get': ['GET', 'b/{bucket}/o/{object}/acl/{entity}', ''],
  'objectAccessControls.patch': ['PATCH', 'b/{bucket}/o/{object}/acl/{entity}', ''],
  'objectAccessControls.update': ['PUT', 'b/{bucket}/o/{object}/acl/{entity}', ''],
  'objectAccessControls.delete': ['DELETE', 'b/{bucket}/o/{object}/acl/{entity}', ''],
  'notifications.list': ['GET', 'b/{bucket}/notificationConfigs', ''],
  'notifications.insert': ['POST', 'b/{bucket}/notificationConfigs', ''],
  'notifications.get': ['GET', 'b/{bucket}/notificationConfigs/{notification}', ''],
  'notifications.delete': ['DELETE', 'b/{bucket}/notificationConfigs/{notification}', ''],
  'channels.stop': ['POST', 'channels/stop', ''],
  'folders.list': ['GET', 'b/{bucket}/folders', ''],
  'folders.insert': ['POST', 'b/{bucket}/folders', ''],
  'folders.get': ['GET', 'b/{bucket}/folders/{folder}', ''],
  'folders.delete': ['DELETE', 'b/{bucket}/folders/{folder}', ''],
  'folders.rename': ['POST', 'b/{bucket}/folders/{folder}/renameTo/folders/{toFolder}', ''],
  'managedFolders.insert': ['POST', 'b/{bucket}/managedFolders', ''],
  'managedFolders.get': ['GET', 'b/{bucket}/managedFolders/{folder}', ''],
  'managedFolders.delete': ['DELETE', 'b/{bucket}/managedFolders/{folder}', ''],
  'managedFolders.getIamPolicy': ['GET', 'b/{bucket}/managedFolders/{folder}/iam', ''],
  'managedFolders.setIamPolicy': ['PUT', 'b/{bucket}/managedFolders/{folder}/iam', ''],
  'managedFolders.testIamPermissions': ['GET', 'b/{bucket}/managedFolders/{folder}/iam/testPermissions', ''],
  'anywhereCaches.list': ['GET', 'b/{bucket}/anywhereCaches', ''],
  'anywhereCaches.insert': ['POST', 'b/{bucket}/anywhereCaches', ''],
  'anywhereCaches.get': ['GET', 'b/{bucket}/anywhereCaches/{cache}', ''],
  'anywhereCaches.update': ['PATCH', 'b/{bucket}/anywhereCaches/{cache}', ''],
  'anywhereCaches.disable': ['POST', 'b/{bucket}/anywhereCaches/{cache}/disable', ''],
  'anywhereCaches.pause': ['POST', 'b/{bucket}/anywhereCaches/{cache}/pause', ''],
  'anywhereCaches.resume': ['POST', 'b/{bucket}/anywhereCaches/{cache}/resume', ''],
  'operations.list': ['GET', 'b/{bucket}/operations', ''],
  'operations.get': ['GET', 'b/{bucket}/operations/{operation}', ''],
  'operations.cancel': ['POST', 'b/{bucket}/operations/{operation}/cancel', ''],
  'operations.advanceRelocateBucket': ['POST', 'b/{bucket}/operations/{operation}/advanceRelocateBucket', ''],
  'projects.serviceAccount.get': ['GET', 'projects/{project}/serviceAccount', ''],
  'projects.hmacKeys.list': ['GET', 'projects/{project}/hmacKeys', ''],
  'projects.hmacKeys.create': ['POST', 'projects/{project}/hmacKeys', ''],
  'projects.hmacKeys.get': ['GET', 'projects/{project}/hmacKeys/{key}', ''],
  'projects.hmacKeys.update': ['PUT', 'projects/{project}/hmacKeys/{key}', ''],
  'projects.hmacKeys.delete': ['DELETE', 'projects/{project}/hmacKeys/{key}', ''],
};

/** Parameters that every method takes; those without effect here have none on the answer at Google either. */
const EVERYWHERE = new Set(['alt', '$alt', 'fields', 'prettyPrint', '$prettyPrint', 'key', 'quotaUser', 'userIp', 'access_token', 'oauth_token', 'uploadType', '$.xgafv']);

export type Found = { method: string; names: Record<string, string> };

/** The method whose path this is; the more literal path wins (`o/watch` is not an object called watch when it is posted to). */
export function findMethod(httpMethod: string, parts: readonly string[]): Found | undefined {
  const found: Found[] = [];
  for (const [method, [verb, template]] of Object.entries(METHODS)) {
    if (verb !== httpMethod && !(httpMethod === 'HEAD' && method === 'objects.get')) continue;
    const names = match(template.split('/'), parts);
    if (names !== undefined) found.push({ method, names });
  }
  return found.sort((a, b) => Object.keys(a.names).length - Object.keys(b.names).length)[0];
}

function match(template: readonly string[], parts: readonly string[]): Record<string, string> | undefined {
  if (template.length !== parts.length) return undefined;
  const names: Record<string, string> = {};
  for (const [index, piece] of template.entries()) {
    const part = parts[index]!;
    if (piece.startsWith('{')) names[piece.slice(1, -1)] = part;
    if (piece.startsWith('{') ? part === '' : piece !== part) return undefined;
  }
  return names;
}

export type Parameters = { required: string[]; refused: Set<string>; taken: Set<string> };

const parametersByMethod = new Map<string, Parameters>();

export function parametersOf(method: string): Parameters {
  let known = parametersByMethod.get(method);
  if (known === undefined) {
    const words = (METHODS[method]?.[2] ?? '').split(' ').filter((word) => word !== '');
    known = {
      required: words.filter((word) => word.endsWith('*')).map((word) => word.slice(0, -1)),
      refused: new Set(words.filter((word) => word.startsWith('!')).map((word) => word.slice(1))),
      taken: new Set([...EVERYWHERE, ...words.filter((word) => !word.startsWith('!')).map((word) => word.replace('*', ''))]),
    };
    parametersByMethod.set(method, known);
  }
  return known;
}
