"""The real paintings: every file is taken in, the planted pair is found, a network learns."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from likeness.classify.params import TrainParams
from likeness.classify.recipe import Recipe
from likeness.classify.tasks import judge, train
from likeness.classify.params import VerdictParams
from likeness.images import image_set
from likeness.images.decode import Limits
from likeness.images.given import Given
from likeness.images.intake import Duplicates
from likeness.images.prepare import Preparation
from likeness.images.raw import list_raw
from likeness.images.tasks import ClassesParams, IntakeParams, classes, intake
