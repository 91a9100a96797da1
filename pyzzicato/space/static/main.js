// Starts the page: the views, the one player they share, and the keys that work everywhere.

import { CompareView } from "./compare.js";
import { ContinueView } from "./continue.js";
import { markup } from "./data.js";
import { byId } from "./elements.js";
import { setIcon } from "./icons.js";
import { LearnView } from "./learn.js";
import { ListenView } from "./listen.js";
import { Piano } from "./piano.js";
import { Player } from "./player.js";

const TABS = ["continue", "compare", "listen", "learn"];

/** What the views share: one piano, one player, and whose music it plays. */
class Stage {
  constructor() {
    this.piano = new Piano();
    this.player = new Player(this.piano);
    this.owner = null;
  }

  /** Gives the player to a view; the one that had it falls silent. */
  own(view) {
    if (this.owner === view) return;
    this.player.halt();
    this.player.position = 0;
    this.owner = view;
    view.takeOver();
    this.player.dispatchEvent(new Event("change"));
  }
}

class Page {
  constructor() {
    this.stage = new Stage();
    const continueView = new ContinueView(this.stage);
    this.views = {
      continue: continueView,
      compare: new CompareView(this.stage, continueView),
      listen: new ListenView(this.stage),
      learn: new LearnView(),
    };
    this.setUpTabs();
    this.setUpTheme();
    document.addEventListener("keydown", (event) => this.onKey(event));
    this.open();
    addEventListener("hashchange", () => this.open());
    this.stage.piano.load().catch((error) => console.warn("The piano's tones did not come.", error));
    this.watch();
    byId("pyzzicato").dataset.ready = "yes";
  }

  /** Moves the playhead with the sound, as long as the page is in sight. */
  watch() {
    const step = () => {
      const { player, owner } = this.stage;
      owner?.frame?.(player.time, player.playing);
      requestAnimationFrame(step);
    };
    requestAnimationFrame(step);
  }

  open() {
    const hash = location.hash.slice(1);
    const name = hash.split("?")[0];
    this.show(TABS.includes(name) ? name : "continue");
    if (hash.includes("?")) {
      this.views.continue.restore(hash).catch((error) => {
        console.warn(error);
        this.views.continue.say("This link could not be read: it may have been cut short.", true);
      });
    }
  }

  show(name) {
    this.shown = name;
    for (const tab of TABS) {
      const chosen = tab === name;
      byId(`view-${tab}`).hidden = !chosen;
      byId(`tab-${tab}`).setAttribute("aria-selected", String(chosen));
      byId(`tab-${tab}`).tabIndex = chosen ? 0 : -1;
    }
    this.views[name].appear?.();
  }

  setUpTabs() {
    for (const [i, name] of TABS.entries()) {
      const tab = byId(`tab-${name}`);
      tab.addEventListener("click", () => this.choose(name));
      tab.addEventListener("keydown", (event) => {
        const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
        if (!step) return;
        event.stopPropagation();
        const next = TABS[(i + step + TABS.length) % TABS.length];
        this.choose(next);
        byId(`tab-${next}`).focus();
      });
    }
  }

  choose(name) {
    this.stage.player.pause();
    history.replaceState(null, "", `#${name}`);
    this.show(name);
  }

  setUpTheme() {
    const button = byId("theme");
    const show = () => setIcon(button, document.body.classList.contains("dark") ? "sun" : "moon");
    const put = (dark) => {
      document.body.classList.toggle("dark", dark);
      show();
    };
    const system = matchMedia("(prefers-color-scheme: dark)");
    const chosen = localStorage.getItem("pyzzicato-theme");
    put(chosen ? chosen === "dark" : system.matches);
    button.addEventListener("click", () => {
      const dark = !document.body.classList.contains("dark");
      localStorage.setItem("pyzzicato-theme", dark ? "dark" : "light");
      put(dark);
    });
    system.addEventListener("change", (event) => {
      if (!localStorage.getItem("pyzzicato-theme")) put(event.matches);
    });
  }

  /** Space, arrows, Enter and Escape, wherever no control wants them for itself. */
  onKey(event) {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
    const { target } = event;
    const view = this.views[this.shown];
    const onControl = target.closest?.("button, a, select, summary, textarea, input, footer");
    if (event.key === "Escape") {
      if (byId("save").open) byId("save").open = false;
      else view.stop?.();
    } else if (event.key === "Enter") {
      if (onControl && !target.matches('input[type="number"], input[type="range"]')) return;
      view.goOrStop?.();
    } else if (onControl || view.takesKeys?.(event)) {
      return;
    } else if (event.key === " ") {
      view.toggle?.();
    } else if (event.key === "ArrowLeft" || event.key === "ArrowRight") {
      this.stage.player.seek(this.stage.player.time + (event.key === "ArrowLeft" ? -1 : 1));
    } else return;
    event.preventDefault();
  }
}

/** Gradio draws the page's place some moments after this script has come. */
function whenThere(begin) {
  const fill = () => {
    const place = byId("pyzzicato-place");
    if (place) place.innerHTML = markup;
    return place;
  };
  if (fill()) return begin();
  const watcher = new MutationObserver(() => {
    if (!fill()) return;
    watcher.disconnect();
    begin();
  });
  watcher.observe(document.body, { childList: true, subtree: true });
}

// Tests and the curious find the running page here.
whenThere(() => { window.pyzzicato = new Page(); });
