// One Tab stop for a row of cards: the arrow keys go from card to card, and down to what else one has.

const STEPS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

/** Takes the arrow keys, Home and End in a row; one button of its cards has `tabindex` 0, all others -1. */
export function oneTabStop(row, cards) {
  const buttonsOf = (card) => [...card.querySelectorAll("button:not(:disabled)")];
  row.addEventListener("focusin", ({ target }) => {
    for (const button of row.querySelectorAll("button")) button.tabIndex = button === target ? 0 : -1;
  });
  row.addEventListener("keydown", (event) => {
    const all = [...row.querySelectorAll(cards)];
    const card = event.target.closest(cards);
    const [right, down] = STEPS[event.key] ?? [{ Home: -all.length, End: all.length }[event.key] ?? 0, 0];
    if (!card || (!right && !down)) return;
    event.preventDefault();
    const inside = (list, place) => list[Math.min(Math.max(0, place), list.length - 1)];
    const buttons = buttonsOf(inside(all, all.indexOf(card) + right));
    inside(buttons, buttonsOf(card).indexOf(event.target) + down).focus();
  });
}
