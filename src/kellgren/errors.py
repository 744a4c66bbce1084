"""One tree of exceptions. Each carries a stable code and says what to do.

::

    KellgrenError
    ├── InputError              something about one file; a batch goes on
    │   ├── FileEmpty               file.empty
    │   ├── FileUnreadable          file.unreadable     (may succeed later: tried again on resume)
    │   ├── FileMissing             file.missing        (likewise)
    │   ├── FileTruncated           file.truncated
    │   ├── FormatUnknown           file.format
    │   ├── FileEncrypted           file.encrypted
    │   ├── SyntaxUnsupported       file.transfer_syntax
    │   ├── PictureMissing          file.no_picture
    │   ├── PictureTooLarge         file.too_large
    │   ├── PictureTooSmall         file.too_small
    │   ├── PictureInColour         file.colour
    │   ├── PictureHasFrames        file.frames
    │   ├── PictureBlank            file.blank
    │   ├── ScaleUnknown            film.scale
    │   └── BoxInvalid              film.box
    ├── BundleError             a bundle cannot be used
    │   ├── BundleNotFound          bundle.not_found
    │   ├── BundleInvalid           bundle.invalid
    │   ├── BundleTampered          bundle.tampered
    │   └── BundleRefused           bundle.refused
    ├── TableError                  table.invalid
    │   └── DuplicateRows           table.duplicates
    ├── TrainingError               training.invalid
    │   └── RunMismatch             training.mismatch
    ├── OutputError                 output.refused
    │   ├── OutputInUse             output.in_use
    │   └── JournalMismatch         output.journal
    ├── WholeFilmsUnsupported       input.whole_film
    ├── ExtraMissing                install.extra
    ├── EnvironmentInvalid          environment.invalid
    └── Defect                      internal             (of ours; tried again on resume)
"""

from typing import Any, ClassVar


class KellgrenError(Exception):
    """The root. ``str(error)`` is a sentence that says what, where and what to do.

    Attributes
    ----------
    code
        Lower case and dotted; stable between versions; what tables and JSON carry.
    """

    code: ClassVar[str] = "error"
    retry: ClassVar[bool] = False
    """Whether the same input may succeed another time, so that ``--resume`` tries it again."""

    def __reduce__(self) -> tuple[Any, ...]:
        """As its class and sentence: workers hand errors over, whatever a constructor takes."""
        return _again, (type(self), self.args), self.__dict__ or None


def _again(kind: type[KellgrenError], args: tuple[object, ...]) -> KellgrenError:
    """An error as it was, without the constructor that has put its sentence together."""
    return kind.__new__(kind, *args)


class InputError(KellgrenError):
    """One input cannot be graded. A batch records it and goes on."""

    code = "file"


class FileEmpty(InputError):
    """The file holds no bytes."""

    code = "file.empty"


class FileUnreadable(InputError):
    """The operating system refused to read the file."""

    code = "file.unreadable"
    retry = True


class FileMissing(InputError):
    """Nothing is at the path, or a link leads nowhere."""

    code = "file.missing"
    retry = True


class FileTruncated(InputError):
    """The file ends before its picture does, or its content is damaged."""

    code = "file.truncated"


class FormatUnknown(InputError):
    """The content is of no format that is read, whatever the file's name says."""

    code = "file.format"


class FileEncrypted(InputError):
    """A DICOM file that only its receiver can open."""

    code = "file.encrypted"


class SyntaxUnsupported(InputError):
    """Pixels in a DICOM transfer syntax that is unknown, or that no permissive decoder reads."""

    code = "file.transfer_syntax"


class PictureMissing(InputError):
    """A DICOM object of another kind: a report, a document, a presentation state, a directory."""

    code = "file.no_picture"


class PictureTooLarge(InputError):
    """More pixels than the limit, seen in the header before anything is allocated."""

    code = "file.too_large"


class PictureTooSmall(InputError):
    """Too few pixels to hold a knee."""

    code = "file.too_small"


class PictureInColour(InputError):
    """The channels differ: a photograph or a screenshot, not a radiograph."""

    code = "file.colour"


class PictureHasFrames(InputError):
    """An animation, a multi-page or a three-dimensional file."""

    code = "file.frames"


class PictureBlank(InputError):
    """All pixels are the same."""

    code = "file.blank"


class ScaleUnknown(InputError):
    """A size in millimetres is needed and the film has no pixel spacing."""

    code = "film.scale"


class BoxInvalid(InputError):
    """A box that a person gave does not lie on the film."""

    code = "film.box"


class BundleError(KellgrenError):
    """A bundle cannot be used."""

    code = "bundle"


class BundleNotFound(BundleError):
    """No bundle has this name, and no file or folder is at this path."""

    code = "bundle.not_found"


class BundleInvalid(BundleError):
    """The record of a bundle does not follow the contract."""

    code = "bundle.invalid"


class BundleTampered(BundleError):
    """A file of the bundle is not the one that its record describes."""

    code = "bundle.tampered"


class BundleRefused(BundleError):
    """The bundle may not grade this input, such as a phantom's bundle a real film."""

    code = "bundle.refused"


class TableError(KellgrenError):
    """A table does not follow the tidy layout."""

    code = "table.invalid"


class DuplicateRows(TableError):
    """Two rows answer the same question."""

    code = "table.duplicates"


class TrainingError(KellgrenError):
    """A training cannot start or go on."""

    code = "training.invalid"


class RunMismatch(TrainingError):
    """A run that is to be resumed was started with other data or settings."""

    code = "training.mismatch"


class OutputError(KellgrenError):
    """Results cannot be written where they were asked for."""

    code = "output.refused"


class OutputInUse(OutputError):
    """Another batch is writing there now."""

    code = "output.in_use"


class JournalMismatch(OutputError):
    """A journal that is to be resumed was begun with other bundles, options or files."""

    code = "output.journal"


class ExtraMissing(KellgrenError):
    """An optional part of the installation is needed. The message names the command."""

    code = "install.extra"

    def __init__(self, extra: str, needed_for: str) -> None:
        super().__init__(f"{needed_for} needs the extra '{extra}': pip install 'kellgren[{extra}]'")


class EnvironmentInvalid(KellgrenError):
    """A variable of the environment does not hold what it should."""

    code = "environment.invalid"


class WholeFilmsUnsupported(KellgrenError):
    """Knees cannot be found on whole films yet."""

    code = "input.whole_film"

    def __init__(self) -> None:
        super().__init__(
            "Finding knees on whole films is not built yet. Give pictures that are cut around one "
            "knee, about 1.25 tibial plateaus wide, and say --cropped (in Python: cropped=True)."
        )


class Defect(KellgrenError):
    """An error that nobody foresaw, while one film was graded."""

    code = "internal"
    retry = True
