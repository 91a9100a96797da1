// What the page keeps in the browser: seeds and their takes, for the next visit and for other tabs.
// Nothing leaves it.

import { randomName } from "./client.js";

const NAME = "pyzzicato";
const SEEDS = "seeds";
// Each take has a record of its own: two tabs with one seed would otherwise write over each other.
const TAKES = "takes";
const OF_SEED = "seed";
const MOST_SEEDS = 24;

// Tells other tabs the key of the seed whose takes have changed, or null where all are forgotten.
const others = typeof BroadcastChannel === "undefined" ? null : new BroadcastChannel(NAME);
let opened = null;

function open() {
  opened ??= new Promise((resolve, reject) => {
    const asked = indexedDB.open(NAME, 2);
    asked.onupgradeneeded = ({ oldVersion }) => {
      const { result, transaction } = asked;
      result.createObjectStore(TAKES, { keyPath: "id" }).createIndex(OF_SEED, "of");
      if (oldVersion) moveTakes(transaction);
      else result.createObjectStore(SEEDS, { keyPath: "key" });
    };
    asked.onsuccess = () => {
      // A tab with a later release is not kept waiting.
      asked.result.onversionchange = () => asked.result.close();
      resolve(asked.result);
    };
    asked.onerror = () => reject(asked.error);
    asked.onblocked = () => reject(new Error("A tab with an earlier release is open."));
  });
  return opened;
}

/** Gives the takes of the first release, which were kept in their seeds, records of their own. */
function moveTakes(transaction) {
  const seeds = transaction.objectStore(SEEDS);
  seeds.openCursor().onsuccess = ({ target: { result: cursor } }) => {
    if (!cursor) return;
    const { takes, last, ...seed } = cursor.value;
    for (const told of takes) {
      const id = randomName();
      if (told.number === last) seed.last = id;
      transaction.objectStore(TAKES).put({ ...told, id, of: seed.key });
    }
    cursor.update(seed);
    cursor.continue();
  };
}

/** Does `work` with both stores, all of it or nothing; returns what it returns, when it is done. */
async function within(mode, work) {
  try {
    const database = await open();
    return await new Promise((resolve, reject) => {
      const transaction = database.transaction([SEEDS, TAKES], mode);
      const found = work(transaction.objectStore(SEEDS), transaction.objectStore(TAKES));
      transaction.oncomplete = () => resolve(found);
      transaction.onerror = () => reject(transaction.error);
      transaction.onabort = () => reject(transaction.error);
    });
  } catch (error) {
    // In a private window there may be no store; takes are then kept until the visitor leaves.
    console.info("Takes are not kept for the next visit.", error);
    return null;
  }
}

/** Changes what is kept of a seed, or of all with the key null, and tells other tabs. */
async function change(key, work) {
  const found = await within("readwrite", work);
  others?.postMessage(key);
  return found;
}

/** Hears of what other tabs have changed: `heard(key)`, null for all. */
export function hearOthers(heard) {
  if (others) others.onmessage = ({ data }) => heard(data);
}

/** Every seed that is kept, or the one with a key: `{key, seed, last, draft, takes}`, the latest first; null without a store. */
export async function read(key = null) {
  const which = key ?? undefined;
  const asked = await within("readonly", (seeds, takes) => (
    [seeds.getAll(which), takes.index(OF_SEED).getAll(which)]));
  if (!asked) return null;
  const [seeds, takes] = asked.map(({ result }) => result);
  const latest = seeds.sort((a, b) => b.time - a.time);
  for (const { key: oldest } of latest.splice(MOST_SEEDS)) await forgetSeed(oldest);
  // Takes of earlier releases have no stamp.
  const takesOf = (key) => takes.filter(({ of }) => of === key).map((take) => ({ stamp: "", ...take }));
  return latest.map((seed) => ({ ...seed, takes: takesOf(seed.key) }));
}

/** Puts what is told of a seed into its record, and leaves the rest of it. */
function putSeed(seeds, told) {
  seeds.get(told.key).onsuccess = ({ target }) => seeds.put({ ...target.result, ...told, time: Date.now() });
}

/**
 * Keeps a take's record, `{id, of, stamp, ...}`, and that of its seed, `{key, seed, last}`.
 *
 * `before` is the stamp of the record that it takes the place of, null for none. Where another tab has
 * changed the take since, both stay, this one under the new id that is returned as `id`; where one has
 * thrown it away, nothing is written, and `isGone` is returned.
 */
export const keepTake = (seed, take, before) => change(seed.key, (seeds, takes) => {
  const kept = { id: take.id, isGone: false };
  takes.get(take.id).onsuccess = ({ target: { result: there } }) => {
    kept.isGone = before !== null && !there;
    if (kept.isGone) return;
    if (there && (there.stamp ?? "") !== before) kept.id = randomName();
    putSeed(seeds, seed);
    takes.put({ ...take, id: kept.id });
  };
  return kept;
});

/** Keeps a seed as it was changed by hand, `draft`, with its record: of two tabs the later one's. */
export const keepDraft = (seed, draft) => within("readwrite", (seeds) => putSeed(seeds, { ...seed, draft }));

/** Keeps which take of a seed was shown last, where there is one of it. */
export const keepLast = (key, last) => within("readwrite", (seeds) => {
  seeds.get(key).onsuccess = ({ target: { result: seed } }) => seed && putSeed(seeds, { key, last });
});

/** Forgets a take, and its seed where nothing else is kept of it. */
export const forgetTake = (id, key) => change(key, (seeds, takes) => {
  takes.delete(id);
  forgetEmpty(seeds, takes, key);
});

/** Forgets the changes of a seed, where they are those of this tab. */
export const forgetDraft = (id, key) => within("readwrite", (seeds, takes) => {
  seeds.get(key).onsuccess = ({ target: { result: seed } }) => {
    if (seed?.draft?.id !== id) return;
    seeds.put({ ...seed, draft: null });
    forgetEmpty(seeds, takes, key);
  };
});

function forgetEmpty(seeds, takes, key) {
  takes.index(OF_SEED).count(key).onsuccess = ({ target: { result: count } }) => {
    if (count) return;
    seeds.get(key).onsuccess = ({ target }) => target.result?.draft || seeds.delete(key);
  };
}

const forgetSeed = (key) => within("readwrite", (seeds, takes) => {
  seeds.delete(key);
  takes.index(OF_SEED).getAllKeys(key).onsuccess = ({ target }) => {
    for (const id of target.result) takes.delete(id);
  };
});

export const forgetAll = () => change(null, (seeds, takes) => {
  seeds.clear();
  takes.clear();
});
