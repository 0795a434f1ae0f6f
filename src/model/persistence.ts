// Whose connections a persistent service keeps together, in the order of enum persistence_key.

import type { PersistenceKey } from './table.ts';

export const persistenceKeys: readonly PersistenceKey[] = [
  'source',
  'destination',
  'source-destination',
];
