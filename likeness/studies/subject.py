"""A person: whose photos, how faces are read, which photos feed which model."""

from pydantic import Field, model_validator

from likeness.faces.backend import FacesRecipe, SmallFaces
from likeness.metrics.images import AgeReader
from likeness.people.same_person import SamePersonRecipe
from likeness.people.splits import SplitRecipe
from likeness.people.tasks import PhotosParams
from likeness.studies.parts import Part
from likeness.world.album import AlbumParams


class Subject(Part):
    """One person's photos: from a folder of the user's, or a life that this project paints."""

    title: str = Field(description="what a reader calls this person")
    folder: str | None = Field(None, description="folder below the raw folder (LIKENESS_RAW)")
    album: AlbumParams | None = Field(None, description="painted by this project instead of read")
    photos: PhotosParams = PhotosParams()
    faces: FacesRecipe = SmallFaces()
    same_person: SamePersonRecipe = SamePersonRecipe()
    splits: SplitRecipe = SplitRecipe()
    ages: AgeReader = Field(
        "none",
        description="what reads ages from pictures: reader (small world), deepface (photos), none",
    )
    ssim_side: int = Field(500, ge=16, le=2048, description="px at which pictures are compared")

    @property
    def raw_folders(self) -> list[str]:
        """The folder below the raw folder that the photos are read from, if they are."""
        return [] if self.folder is None else [self.folder]

    @model_validator(mode="after")
    def _one_source(self) -> "Subject":
        if (self.folder is None) == (self.album is None):
            raise ValueError(f"'{self.title}' needs either a folder or an album, and not both")
        if self.folder is not None and "faces" not in self.model_fields_set:
            raise ValueError(
                f"'{self.title}' reads photos and does not say by what network faces are compared; "
                "write faces: {backend: deepface, detector: opencv, recogniser: VGG-Face} (small "
                "is for the small world's drawn faces)"
            )
        return self
