package bolt

const MaxGroup = maxGroup
