using MongoDB.Driver;

namespace Platform.Migrator.Indexes;

/// <summary>Tells what a server does not have from what went wrong.</summary>
internal static class ServerLimits
{
    // https://github.com/mongodb/mongo/blob/master/src/mongo/base/error_codes.yml
    private const int Unauthorized = 13;
    private const int NamespaceExists = 48;
    private const int CommandNotFound = 59;
    private const int InvalidOptions = 72;
    private const int IndexOptionsConflict = 85;
    private const int IndexKeySpecsConflict = 86;
    private const int CommandNotSupported = 115;
    private const int UnknownStage = 40324;
    private const int UnknownField = 40415;

    /// <summary>Whether the server refused because it lacks the feature.</summary>
    public static bool IsUnsupported(MongoCommandException exception) =>
        exception.Code is CommandNotFound or CommandNotSupported or InvalidOptions or UnknownStage or UnknownField;

    /// <summary>Whether the server refused an index because it has another one that is too much like it.</summary>
    public static bool IsConflict(MongoCommandException exception) => exception.Code is IndexOptionsConflict or IndexKeySpecsConflict;

    /// <summary>Whether the server refused to make a collection because there is one of this name.</summary>
    public static bool IsThere(MongoCommandException exception) => exception.Code == NamespaceExists;

    /// <summary>Whether the user may not ask for it.</summary>
    public static bool IsUnauthorized(MongoCommandException exception) => exception.Code == Unauthorized;
}
