// The folder of a journal that has none: what a world in memory says where it is asked about its folder.

import type { DataDir } from '../../src/invocation/data-dir.ts';

export const NOWHERE: Pick<DataDir, 'path' | 'facts' | 'exposures' | 'reportPath' | 'close'> = {
  path: '/nowhere',
  facts: () => ({ kind: 'missing' }),
  exposures: () => [],
  reportPath: '/nowhere',
  close: async () => {},
};
