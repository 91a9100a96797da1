export class ListenView { constructor() {} takeOver() {} }
