export class LearnView { constructor() {} takeOver() {} }
