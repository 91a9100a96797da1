// What the page keeps in the browser: seeds and their takes, for the next visit. Nothing leaves it.

import { randomName } from "./client.js";

const NAME = "pyzzicato";
const SEEDS = "seeds";
// Each take has a record of its own: two tabs with one seed would otherwise write over each other.
const TAKES = "takes";
const OF_SEED = "seed";
const MOST_SEEDS = 24;

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

/** Does `work` with both stores, all of it or nothing; returns what the request it returns finds. */
async function within(mode, work) {
  try {
    const database = await open();
    return await new Promise((resolve, reject) => {
      const transaction = database.transaction([SEEDS, TAKES], mode);
      const asked = work(transaction.objectStore(SEEDS), transaction.objectStore(TAKES));
      transaction.oncomplete = () => resolve(asked?.result);
      transaction.onerror = () => reject(transaction.error);
      transaction.onabort = () => reject(transaction.error);
    });
  } catch (error) {
    // In a private window there may be no store; takes are then kept until the visitor leaves.
    console.info("Takes are not kept for the next visit.", error);
    return null;
  }
}

/** Every seed that is kept, `{key, seed, last, takes}`, the latest first. */
export async function readAll() {
  const seeds = (await within("readonly", (store) => store.getAll())) ?? [];
  const takes = (await within("readonly", (_, store) => store.getAll())) ?? [];
  const latest = seeds.sort((a, b) => b.time - a.time);
  for (const { key } of latest.splice(MOST_SEEDS)) await forgetSeed(key);
  return latest.map((seed) => ({ ...seed, takes: takes.filter(({ of }) => of === seed.key) }));
}

/** Keeps a take's record, `{id, of, ...}`, and that of its seed, `{key, seed, last}`. */
export const keepTake = (seed, take) => within("readwrite", (seeds, takes) => {
  seeds.put({ ...seed, time: Date.now() });
  takes.put(take);
});

/** Forgets a take, and its seed with the last one. */
export const forgetTake = (id, key) => within("readwrite", (seeds, takes) => {
  takes.delete(id);
  takes.index(OF_SEED).count(key).onsuccess = ({ target }) => target.result || seeds.delete(key);
});

const forgetSeed = (key) => within("readwrite", (seeds, takes) => {
  seeds.delete(key);
  takes.index(OF_SEED).getAllKeys(key).onsuccess = ({ target }) => {
    for (const id of target.result) takes.delete(id);
  };
});

export const forgetAll = () => within("readwrite", (seeds, takes) => {
  seeds.clear();
  takes.clear();
});
