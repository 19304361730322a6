import { dropPackedProject } from './packed-project';

export default dropPackedProject;
