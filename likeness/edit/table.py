"""The table of an image set of edits: the roles of its pictures, and whose edit each is."""

# The roles that pictures of an editing experiment play.
SOURCE, EDIT = "source", "edit"
ROLES = (SOURCE, EDIT)
# Whose edit a picture is, from which words, by what strength; tables compare one strength of each
# editor. Pairs of one source may begin with other words.
OWN_COLUMNS = {
    "role": "string",
    "age": "Float64",
    "not_read": "string",
    "source_id": "string",
    "source_prompt": "string",
    "pair_id": "string",
    "kind": "string",
    "edit": "string",
    "strength": "Float64",
    "compared": "boolean",
}
