using System.Diagnostics;
using System.Globalization;
using MongoDB.Driver;
using Attributes = Platform.Mongo.Connections.MongoMetrics.Attributes;

namespace Platform.Mongo.Connections;

/// <summary>One command on one collection, with the attributes of its measurements made once.</summary>
internal sealed class ObservedOperation
{
    /// <summary>The attributes when it succeeds. A field, so that they are handed on by reference.</summary>
    public readonly TagList Tags;

    /// <summary>Makes the attributes.</summary>
    public ObservedOperation(string host, int? port, string database, string? collection, string command)
    {
        Database = database;
        Collection = collection;
        Command = command;
        Tags = new TagList
        {
            { Attributes.System, "mongodb" },
            { Attributes.Namespace, database },
            { Attributes.Operation, command },
            { Attributes.ServerAddress, host },
        };
        if (collection is not null)
        {
            Tags.Add(Attributes.Collection, collection);
        }

        if (port is { } number)
        {
            Tags.Add(Attributes.ServerPort, number);
        }
    }

    /// <summary>The database.</summary>
    public string Database { get; }

    /// <summary>The collection; null when the command has none.</summary>
    public string? Collection { get; }

    /// <summary>The command.</summary>
    public string Command { get; }

    /// <summary>Whether it has these names, by identity: the driver and <see cref="CommandNames"/> hand out the same texts again and again.</summary>
    public bool IsSurely(string database, string? collection, string command) =>
        ReferenceEquals(command, Command) && ReferenceEquals(collection, Collection) && ReferenceEquals(database, Database);

    /// <summary>The attributes when it fails: the server's code, or else the kind of exception.</summary>
    public TagList FailedTags(Exception failure)
    {
        var tags = Tags;
        if (failure is MongoCommandException refused)
        {
            var code = refused.Code.ToString(CultureInfo.InvariantCulture);
            tags.Add(Attributes.ErrorType, code);
            tags.Add(Attributes.StatusCode, code);
        }
        else
        {
            tags.Add(Attributes.ErrorType, failure.GetType().FullName);
        }

        return tags;
    }
}
