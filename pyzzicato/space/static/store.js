// What the page keeps in the browser: seeds and their takes, for the next visit. Nothing leaves it.

const NAME = "pyzzicato";
const SEEDS = "seeds";
const MOST_SEEDS = 24;

let opened = null;

function open() {
  opened ??= new Promise((resolve, reject) => {
    const asked = indexedDB.open(NAME, 1);
    asked.onupgradeneeded = () => asked.result.createObjectStore(SEEDS, { keyPath: "key" });
    asked.onsuccess = () => resolve(asked.result);
    asked.onerror = () => reject(asked.error);
  });
  return opened;
}

async function within(mode, work) {
  try {
    const database = await open();
    return await new Promise((resolve, reject) => {
      const transaction = database.transaction(SEEDS, mode);
      const asked = work(transaction.objectStore(SEEDS));
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

/** Everything that is kept, the latest first. */
export async function readAll() {
  const kept = (await within("readonly", (store) => store.getAll())) ?? [];
  return kept.sort((a, b) => b.time - a.time);
}

/** Keeps a seed's record, `{key, ...}`, in the place of the one it had; forgets the oldest. */
export async function keep(record) {
  await within("readwrite", (store) => store.put({ ...record, time: Date.now() }));
  for (const old of (await readAll()).slice(MOST_SEEDS)) await forget(old.key);
}

export const forget = (key) => within("readwrite", (store) => store.delete(key));

export const forgetAll = () => within("readwrite", (store) => store.clear());
