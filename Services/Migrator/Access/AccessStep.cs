using System.Text.Json.Serialization;
using MongoDB.Bson;

namespace Platform.Migrator.Access;

/// <summary>One difference between the users and roles of a server and the access catalogue, and what would mend it.</summary>
/// <param name="Kind">What kind of difference it is.</param>
/// <param name="Name">The user or role.</param>
/// <param name="Text">The difference, in a sentence.</param>
/// <param name="Command">The command that mends it, without passwords; null for what only a person may remove.</param>
internal sealed record AccessStep(AccessStepKind Kind, string Name, string Text, [property: JsonIgnore] BsonDocument? Command)
{
    /// <summary>The database that the command is for.</summary>
    [JsonIgnore]
    public string Database { get; init; } = "admin";
}

/// <summary>The kinds of differences.</summary>
internal enum AccessStepKind
{
    /// <summary>A role is not there.</summary>
    RoleMissing,

    /// <summary>A role allows something else.</summary>
    RoleDiffers,

    /// <summary>A user is not there.</summary>
    UserMissing,

    /// <summary>A user has other roles.</summary>
    UserDiffers,

    /// <summary>A view is not there, or shows something else.</summary>
    View,

    /// <summary>A user or role has a name of the platform's, and the catalogue does not know it.</summary>
    Unknown,
}
