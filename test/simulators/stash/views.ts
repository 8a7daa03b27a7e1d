// Rows as GraphQL shows them. What costs or recurses is a function: graphql-js calls it only when asked.
// Addresses begin with the base the client used, as in Stash (facts, section 5).
import { basename } from 'node:path';
import type { Job } from './jobs.ts';
import type { Plugin } from './plugins.ts';
import type { Entity, Scene, VideoFile } from './records.ts';
import type { Asker, Stash } from './stash.ts';
import { epochSeconds } from './time.ts';

export type View = Readonly<Record<string, unknown>>;

export function sceneView(stash: Stash, asker: Asker, scene: Scene): View {
  const time = (atMs: number): string => stash.db.timeText(atMs);
  const at = `${asker.base}/scene/${scene.id}`;
  const hash = `${asker.base}/scene/${scene.files[0]?.oshash ?? ''}`;
  const key = stash.place.apiKey === '' ? '' : `?apikey=${stash.place.apiKey}`;
  const tagsOf = (ids: readonly number[]) => () => entityViews(stash, asker, 'tag', ids);
  return {
    ...scene,
    id: String(scene.id),
    url: scene.urls[0] ?? null,
    o_counter: scene.oHistory.length,
    o_history: scene.oHistory.map(time),
    play_count: scene.playHistory.length,
    play_history: scene.playHistory.map(time),
    last_played_at: scene.playHistory.length === 0 ? null : time(Math.max(...scene.playHistory)),
    resume_time: scene.resumeTimeS,
    play_duration: scene.playDurationS,
    interactive: false,
    created_at: time(scene.createdAt),
    updated_at: time(scene.updatedAt),
    paths: {
      screenshot: `${at}/screenshot?t=${epochSeconds(scene.updatedAt)}`,
      preview: `${at}/preview`,
      stream: `${at}/stream${key}`,
      webp: `${at}/webp`,
      vtt: `${hash}_thumbs.vtt`,
      sprite: `${hash}_sprite.jpg`,
    },
    studio: () => (scene.studioId === null ? null : viewOf(stash, asker, 'studio', scene.studioId)),
    performers: () => entityViews(stash, asker, 'performer', scene.performerIds),
    tags: tagsOf(scene.tagIds),
    movies: () =>
      scene.groups.map((one) => ({
        movie: viewOf(stash, asker, 'group', one.groupId),
        scene_index: one.sceneIndex,
      })),
    groups: () =>
      scene.groups.map((one) => ({
        group: viewOf(stash, asker, 'group', one.groupId),
        scene_index: one.sceneIndex,
      })),
    galleries: [],
    scene_markers: scene.markers.map((marker) => ({
      ...marker,
      end_seconds: null,
      primary_tag: () => viewOf(stash, asker, 'tag', marker.primaryTagId),
      tags: tagsOf(marker.tagIds),
    })),
    stash_ids: scene.stashIds.map((one) => ({
      endpoint: one.endpoint,
      stash_id: one.stashId,
      updated_at: time(scene.updatedAt),
    })),
    files: scene.files.map((file) => fileView(file, time)),
  };
}

export function entityView(stash: Stash, asker: Asker, kind: Kind, entity: Entity): View {
  const picture = `${asker.base}/${kind}/${entity.id}/image?t=${epochSeconds(entity.updatedAt)}`;
  const scenes = (): number => stash.db.scenes().filter((scene) => isIn(scene, kind, entity.id)).length;
  const children = () =>
    stash.db
      .entities(kind)
      .filter((other) => other.parentIds.includes(entity.id))
      .map((other) => entityView(stash, asker, kind, other));
  const parents = () => entityViews(stash, asker, kind, entity.parentIds);
  return {
    ...entity,
    id: String(entity.id),
    url: entity.urls[0] ?? null,
    description: entity.details,
    synopsis: entity.details,
    aliases: kind === 'group' ? entity.aliases.join(', ') : entity.aliases,
    alias_list: entity.aliases,
    ignore_auto_tag: false,
    sort_name: '',
    created_at: stash.db.timeText(entity.createdAt),
    updated_at: stash.db.timeText(entity.updatedAt),
    image_path: entity.image === null ? `${picture}&default=true` : picture,
    front_image_path: null,
    back_image_path: null,
    scene_count: scenes,
    parents,
    parent_studio: () => parents()[0] ?? null,
    children,
    child_studios: children,
    tags: () => entityViews(stash, asker, 'tag', entity.tagIds),
    studio: () => (entity.studioId === null ? null : viewOf(stash, asker, 'studio', entity.studioId)),
  };
}

export function jobView({ clock }: Stash, job: Job): View {
  const time = (atMs: number | null): string | null => (atMs === null ? null : clock.exactText(atMs));
  return {
    ...job,
    id: String(job.id),
    subTasks: null,
    addTime: time(job.addTime),
    startTime: time(job.startTime),
    endTime: time(job.endTime),
  };
}

export function pluginView(stash: Stash, plugin: Plugin): View {
  const view: Record<string, unknown> = {
    id: plugin.id,
    name: plugin.name,
    description: plugin.description,
    url: plugin.url,
    version: plugin.version,
    enabled: !stash.disabledPlugins.has(plugin.id),
    requires: plugin.requires,
    paths: { javascript: null, css: null },
    settings: plugin.settings.map((setting) => ({ ...setting, display_name: setting.displayName })),
  };
  view.tasks = plugin.tasks.map(({ name, description }) => ({ name, description, plugin: view }));
  view.hooks = plugin.hooks.map(({ name, description, triggeredBy }) => ({
    name,
    description,
    hooks: triggeredBy,
    plugin: view,
  }));
  return view;
}

type Kind = 'tag' | 'performer' | 'studio' | 'group';

function isIn(scene: Scene, kind: Kind, id: number): boolean {
  switch (kind) {
    case 'tag':
      return scene.tagIds.includes(id);
    case 'performer':
      return scene.performerIds.includes(id);
    case 'studio':
      return scene.studioId === id;
    case 'group':
      return scene.groups.some((one) => one.groupId === id);
  }
}

function viewOf(stash: Stash, asker: Asker, kind: Kind, id: number): View | null {
  const entity = stash.db.findEntity(kind, id);
  return entity === undefined ? null : entityView(stash, asker, kind, entity);
}

/** By name, as Stash orders a scene's tags and performers. */
function entityViews(stash: Stash, asker: Asker, kind: Kind, ids: readonly number[]): View[] {
  return ids
    .flatMap((id) => stash.db.findEntity(kind, id) ?? [])
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .map((entity) => entityView(stash, asker, kind, entity));
}

function fileView(file: VideoFile, time: (atMs: number) => string): View {
  return {
    id: String(file.id),
    path: file.path,
    basename: basename(file.path),
    size: file.sizeBytes,
    mod_time: time(file.modifiedAt),
    duration: file.durationS,
    width: 320,
    height: 240,
    video_codec: 'h264',
    audio_codec: 'aac',
    frame_rate: 10,
    bit_rate: Math.round((file.sizeBytes * 8) / file.durationS),
    format: 'mp4',
    fingerprint: ({ type }: { type: string }) => (type === 'oshash' ? file.oshash : null),
    fingerprints: [{ type: 'oshash', value: file.oshash }],
    parent_folder_id: '2',
    zip_file_id: null,
    created_at: time(file.createdAt),
    updated_at: time(file.updatedAt),
  };
}
