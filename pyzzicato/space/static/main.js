// Starts the page: the views, the one player they share, and the keys that work everywhere.

import { closeDrawer, setUpApiDrawer } from "./apidrawer.js";
import { CompareView } from "./compare.js";
import { ContinueView } from "./continue.js";
import { byId } from "./elements.js";
import { WrongLink } from "./link.js";
import { setIcon } from "./icons.js";
import { LearnView } from "./learn.js";
import { ListenView } from "./listen.js";
import { Piano } from "./piano.js";
import { Player } from "./player.js";

const TABS = { continue: "Continue", compare: "Compare", listen: "Listen blind", learn: "Learn" };
const NAMES = Object.keys(TABS);

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
      learn: new LearnView(() => {
        this.choose("continue");
        continueView.bench.showOdds();
      }),
    };
    this.setUpTabs();
    this.setUpTheme();
    setUpApiDrawer();
    document.addEventListener("keydown", (event) => this.onKey(event));
    this.open();
    history.replaceState(this.state, "");
    addEventListener("popstate", (event) => this.goBack(event.state));
    continueView.addEventListener("seed", () => this.remember());
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

  /** Shows what the address says; what it does not say rightly is said. */
  open() {
    const { continue: first } = this.views;
    const [name, ...held] = location.hash.slice(1).split("?");
    const isKnown = NAMES.includes(name);
    this.show(isKnown ? name : "continue");
    if (name && !isKnown) {
      first.say(`There is no view called "${name.slice(0, 60)}"; this is "Continue".`, true);
    } else if (held.length) {
      first.restore(location.hash).catch((error) => {
        const why = error instanceof WrongLink ? error.message : "it may have been cut short";
        console.warn("A link could not be opened.", error);
        first.say(`This link could not be read: ${why}.`, true);
      });
    }
  }

  show(name) {
    this.shown = name;
    document.title = name === "continue" ? "Pyzzicato" : `${TABS[name]} – Pyzzicato`;
    for (const tab of NAMES) {
      const chosen = tab === name;
      byId(`view-${tab}`).hidden = !chosen;
      byId(`tab-${tab}`).setAttribute("aria-selected", String(chosen));
      byId(`tab-${tab}`).tabIndex = chosen ? 0 : -1;
    }
    this.views[name].appear?.();
  }

  // --- The browser's Back and Forward -------------------------------------------------------------

  /** What Back comes back to. */
  get state() { return { view: this.shown, seed: this.views.continue.seed?.key ?? null }; }

  /** Makes a step that Back undoes, where something other than before is shown. */
  remember() {
    const { state } = this;
    if (this.goesBack || !this.shown || JSON.stringify(state) === JSON.stringify(history.state)) return;
    // Dragging over one's own piece is one step.
    const write = this.views.continue.picker.isDragging ? "replaceState" : "pushState";
    history[write](state, "", `#${this.shown}`);
  }

  goBack(state) {
    this.goesBack = true;
    this.stage.player.pause();
    // An address that was typed or followed has no state of ours.
    if (!state) {
      this.open();
      history.replaceState(this.state, "");
    } else {
      this.show(state.view);
      const { seed, picker } = this.views.continue;
      if (state.seed !== seed.key) picker.chooseKey(state.seed);
    }
    this.goesBack = false;
  }

  setUpTabs() {
    for (const [i, name] of NAMES.entries()) {
      const tab = byId(`tab-${name}`);
      tab.addEventListener("click", () => this.choose(name));
      tab.addEventListener("keydown", (event) => {
        const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
        if (!step) return;
        event.stopPropagation();
        const next = NAMES[(i + step + NAMES.length) % NAMES.length];
        this.choose(next);
        byId(`tab-${next}`).focus();
      });
    }
  }

  choose(name) {
    this.stage.player.pause();
    this.show(name);
    this.remember();
  }

  setUpTheme() {
    const button = byId("theme");
    let isDark = false;
    const put = (dark) => {
      isDark = dark;
      document.body.classList.toggle("dark", dark);
      setIcon(button, dark ? "sun" : "moon");
    };
    const system = matchMedia("(prefers-color-scheme: dark)");
    const chosen = localStorage.getItem("pyzzicato-theme");
    put(chosen ? chosen === "dark" : system.matches);
    // Gradio has a theme of its own, which it puts on when it comes.
    new MutationObserver(() => {
      if (document.body.classList.contains("dark") !== isDark) put(isDark);
    }).observe(document.body, { attributes: true, attributeFilter: ["class"] });
    button.addEventListener("click", () => {
      localStorage.setItem("pyzzicato-theme", isDark ? "light" : "dark");
      put(!isDark);
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
      if (closeDrawer()) return;
      if (byId("save").open) byId("save").open = false;
      else {
        view.stop?.();
        this.stage.player.pause();
      }
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

/** The page does not wait for gradio, whose part is the foot alone. */
function begin() {
  // What was seen so far, with nothing to press, comes to life.
  const place = byId("pyzzicato-place");
  document.body.prepend(place);
  place.inert = false;
  place.removeAttribute("aria-busy");
  // Tests and the curious find the running page here.
  window.pyzzicato = new Page();
}

begin();
