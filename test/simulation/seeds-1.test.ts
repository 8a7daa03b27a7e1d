import { simulateShare } from './shard.ts';

simulateShare(0);
