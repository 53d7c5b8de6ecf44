// Undo and redo: the settings of a race before each change.

const MOST = 100;

/** Make the history: `push(state)` before a change, `back(now)` and `on(now)` give the state to go to, or null. */
export function undo() {
  const before = [];
  const after = [];
  return {
    push(state) {
      before.push(state);
      if (before.length > MOST) before.shift();
      after.length = 0;
    },
    back(now) {
      if (!before.length) return null;
      after.push(now);
      return before.pop();
    },
    on(now) {
      if (!after.length) return null;
      before.push(now);
      return after.pop();
    },
  };
}
