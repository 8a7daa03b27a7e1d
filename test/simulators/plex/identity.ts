// Who the server says it is: /identity (no token needed), / and /library.
import { type Answer, node } from './answer.ts';
import { container, libraryIdentifier } from './elements.ts';

export interface ServerFace {
  readonly machineIdentifier: string;
  readonly startedAtS: number;
}

export const plexVersion = '1.43.1.10611-1e34174b1';
const apiVersion = '1.2.0';

export function identityAnswer({ machineIdentifier }: ServerFace): Answer {
  return {
    kind: 'tree',
    root: container({ apiVersion, claimed: true, machineIdentifier, version: plexVersion }, []),
  };
}

export function rootAnswer({ machineIdentifier, startedAtS }: ServerFace): Answer {
  const about = {
    allowCameraUpload: true,
    allowChannelAccess: true,
    allowMediaDeletion: true,
    allowSharing: true,
    allowSync: true,
    apiVersion,
    backgroundProcessing: true,
    eventStream: true,
    friendlyName: 'den',
    hubSearch: true,
    machineIdentifier,
    myPlex: true,
    myPlexMappingState: 'mapped',
    myPlexSigninState: 'ok',
    myPlexSubscription: false,
    myPlexUsername: 'owner@example.invalid',
    platform: 'Linux',
    platformVersion: '6.1',
    transcoderActiveVideoSessions: 0,
    updatedAt: startedAtS,
    version: plexVersion,
  };
  const paths = ['hubs', 'identity', 'library', 'search', 'status'];
  const directories = paths.map((path) => node('Directory', { count: 1, key: path, title: path }));
  return { kind: 'tree', root: container(about, directories) };
}

export function libraryRootAnswer(): Answer {
  const about = {
    allowSync: false,
    art: '/:/resources/library-art.png',
    content: '',
    identifier: libraryIdentifier,
    mediaTagPrefix: '/system/bundle/media/flags/',
    mediaTagVersion: 1_775_731_696,
    title1: 'Plex Library',
    title2: '',
  };
  const directories = [
    node('Directory', { key: 'sections', title: 'Library Sections' }),
    node('Directory', { key: 'recentlyAdded', title: 'Recently Added Content' }),
    node('Directory', { key: 'onDeck', title: 'On Deck Content' }),
  ];
  return { kind: 'tree', root: container(about, directories) };
}
