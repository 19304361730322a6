import { keepPackedProject } from './packed-project';

export default keepPackedProject;
