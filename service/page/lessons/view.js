// Lessons: all statements with their verdicts, or one of them with its evidence.
import { showLesson } from "./lesson.js";
import { showLessons } from "./overview.js";

export const show = (root, { id, signal }) => (id ? showLesson(root, id, signal) : showLessons(root, signal));
