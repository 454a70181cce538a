// Wheel, pointers (one moves, two pinch) and keys of a scatter.
import { panned, point, rowAt, type Scatter, setView } from "./scatter";
import { isWhole, zoomed } from "./scatter_view";

// The wheel belongs to the page while the page is being scrolled, and whenever there is nothing to zoom out of.
let lastScroll = -Infinity;
document.addEventListener("scroll", () => (lastScroll = performance.now()), { passive: true });

function place(s: Scatter, event: MouseEvent): [number, number] {
  const at = s.canvas.getBoundingClientRect();
  return [event.clientX - at.left, event.clientY - at.top];
}

// One finger scrolls the page until the plot is zoomed into; from then on it moves the plot.
function setTouch(s: Scatter): void {
  s.canvas.style.touchAction = isWhole(s.view, s.whole) ? "pan-y" : "none";
}

function listenToWheel(s: Scatter): void {
  s.canvas.addEventListener(
    "wheel",
    (event) => {
      const out = event.deltaY > 0;
      if (out && isWhole(s.view, s.whole)) return;
      if (!event.ctrlKey && isWhole(s.view, s.whole) && performance.now() - lastScroll < 400) return;
      event.preventDefault();
      const lines = event.deltaMode === 1 ? 30 : 1;
      const step = Math.max(-120, Math.min(120, event.deltaY * lines)) * (event.ctrlKey ? 4 : 1);
      setView(s, zoomed(s.view, s.whole, s.box, ...place(s, event), Math.exp(step / 400)));
      setTouch(s);
    },
    { passive: false },
  );
}

function listenToPointers(s: Scatter): void {
  const down = new Map<number, [number, number]>();
  const apart = () => {
    const [a, b] = [...down.values()] as [[number, number], [number, number]];
    return { distance: Math.max(1, Math.hypot(a[0] - b[0], a[1] - b[1])), x: (a[0] + b[0]) / 2, y: (a[1] + b[1]) / 2 };
  };
  s.canvas.addEventListener("pointerdown", (event) => {
    down.set(event.pointerId, place(s, event));
    s.canvas.setPointerCapture(event.pointerId);
  });
  s.canvas.addEventListener("pointermove", (event) => {
    const now = place(s, event);
    const before = down.get(event.pointerId);
    if (!before) return point(s, rowAt(s, ...now));
    const old = down.size === 2 ? apart() : null;
    down.set(event.pointerId, now);
    if (old) {
      const pinch = apart();
      setView(s, zoomed(s.view, s.whole, s.box, pinch.x, pinch.y, old.distance / pinch.distance));
      panned(s, pinch.x - old.x, pinch.y - old.y);
    } else if (down.size === 1) {
      panned(s, now[0] - before[0], now[1] - before[1]);
    }
  });
  const up = (event: PointerEvent) => {
    down.delete(event.pointerId);
    setTouch(s);
  };
  s.canvas.addEventListener("pointerup", (event) => {
    up(event);
    if (event.pointerType !== "mouse") point(s, rowAt(s, ...place(s, event)));
  });
  s.canvas.addEventListener("pointercancel", up);
  s.canvas.addEventListener("pointerleave", (event) => event.pointerType === "mouse" && point(s, -1));
  s.canvas.addEventListener("dblclick", () => {
    setView(s, s.whole);
    setTouch(s);
  });
}

function listenToKeys(s: Scatter): void {
  const zoom = (factor: number) => setView(s, zoomed(s.view, s.whole, s.box, s.box.left + s.box.width / 2, s.box.top + s.box.height / 2, factor));
  const actions: Record<string, () => void> = {
    ArrowLeft: () => panned(s, 40, 0),
    ArrowRight: () => panned(s, -40, 0),
    ArrowUp: () => panned(s, 0, 40),
    ArrowDown: () => panned(s, 0, -40),
    "+": () => zoom(0.7),
    "=": () => zoom(0.7),
    "-": () => zoom(1 / 0.7),
    "0": () => setView(s, s.whole),
    Escape: () => point(s, -1),
  };
  s.canvas.addEventListener("keydown", (event) => {
    const action = event.ctrlKey || event.metaKey || event.altKey ? undefined : actions[event.key];
    if (!action) return;
    // With nothing zoomed into, arrows scroll the page as everywhere.
    if (event.key.startsWith("Arrow") && isWhole(s.view, s.whole)) return;
    event.preventDefault();
    action();
    setTouch(s);
  });
}

export function listen(s: Scatter): void {
  setTouch(s);
  listenToWheel(s);
  listenToPointers(s);
  listenToKeys(s);
}
