export class CompareView { constructor() {} takeOver() {} }
