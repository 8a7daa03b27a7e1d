// The streams that Breakwater keeps: what happened to Plex, and what happened to each scene.

export const STREAMS = ['control', 'queue'] as const;
export type StreamName = (typeof STREAMS)[number];
