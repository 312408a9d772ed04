namespace Platform.Migrator.Structure;

/// <summary>What has to be done to bring a database in line with the catalogue.</summary>
public enum StructureChangeKind
{
    /// <summary>A collection is missing.</summary>
    CreateCollection,

    /// <summary>A collection has another validator, or none, or it is enforced in another way.</summary>
    SetValidator,

    /// <summary>A collection has another value of an option, which a command changes.</summary>
    SetOption,

    /// <summary>A collection has another value of an option, which nothing changes in a collection that exists.</summary>
    Impossible,

    /// <summary>An index is missing.</summary>
    CreateIndex,

    /// <summary>An index of this name has other keys or options; it has to be dropped and created again.</summary>
    ReplaceIndex,

    /// <summary>An index of this name expires documents at another time, or is hidden; it is changed as it stands.</summary>
    AdjustIndex,

    /// <summary>An index has another name; it is built under its own, and the one of the other name dropped.</summary>
    RenameIndex,

    /// <summary>An index was left behind that stood in for another while that was built.</summary>
    DropInterimIndex,
}
