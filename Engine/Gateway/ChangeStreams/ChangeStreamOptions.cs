using System.Buffers.Binary;
using MongoDB.Bson;
using Platform.Gateway.Errors;
using Platform.Wire.Bson;

namespace Platform.Gateway.ChangeStreams;

/// <summary>The argument of <c>$changeStream</c> (https://www.mongodb.com/docs/manual/reference/operator/aggregation/changeStream/).</summary>
internal sealed class ChangeStreamOptions
{
    /// <summary>Which document the events of updates carry.</summary>
    public FullDocument FullDocument { get; private set; }

    /// <summary>Whether events carry the document as it was before.</summary>
    public FullDocument BeforeChange { get; private set; }

    /// <summary>Whether changes of definitions, and more fields, are asked for.</summary>
    public bool ShowExpandedEvents { get; private set; }

    /// <summary>Whether all databases are watched.</summary>
    public bool AllChangesForCluster { get; private set; }

    /// <summary>The token behind which to begin; null when none was given.</summary>
    public ResumeToken? Resume { get; private set; }

    /// <summary>The time from which on to begin, in the form of the logical clock; null when none was given.</summary>
    public long? StartAt { get; private set; }


    /// <summary>Reads the argument. Throws <see cref="CommandException"/> when it is malformed, or asks for what is not supported.</summary>
    public static ChangeStreamOptions Parse(in RawElement stage)
    {
        if (stage.Type != BsonType.Document)
        {
            throw new CommandException((ErrorCode)50808, $"$changeStream stage expects a document as argument");
        }

        var options = new ChangeStreamOptions();
        var starts = 0;
        foreach (var field in stage.Document)
        {
            if (field.Type == BsonType.Null)
            {
                continue;
            }

            starts += options.Take(field) ? 1 : 0;
        }

        return starts < 2
            ? options
            : throw new CommandException((ErrorCode)40674, "Only one type of resume option is allowed, but multiple were found.");
    }

    /// <summary>Takes an option; true when it says where to begin.</summary>
    private bool Take(in RawElement field)
    {
        switch (field.NameText)
        {
            case "fullDocument":
                FullDocument = Text(field) switch
                {
                    "default" => FullDocument.Off,
                    "updateLookup" => FullDocument.UpdateLookup,
                    "whenAvailable" => FullDocument.WhenAvailable,
                    "required" => FullDocument.Required,
                    var other => throw Unknown(field, other),
                };
                return false;
            case "fullDocumentBeforeChange":
                BeforeChange = Text(field) switch
                {
                    "off" => FullDocument.Off,
                    "whenAvailable" => FullDocument.WhenAvailable,
                    "required" => FullDocument.Required,
                    var other => throw Unknown(field, other),
                };
                return false;
            case "showExpandedEvents":
                ShowExpandedEvents = Flag(field);
                return false;
            case "allChangesForCluster":
                AllChangesForCluster = Flag(field);
                return false;
            case "resumeAfter":
                Resume = ResumeToken.Parse(field);
                return Resume is { IsInvalidate: false }
                    ? true
                    : throw new CommandException(
                        ErrorCode.InvalidResumeToken,
                        "Attempting to resume a change stream using 'resumeAfter' is not allowed from an invalidate notification.");
            case "startAfter":
                Resume = ResumeToken.Parse(field);
                return true;
            case "startAtOperationTime":
                StartAt = field.Type == BsonType.Timestamp
                    ? BinaryPrimitives.ReadInt64LittleEndian(field.Value.Span)
                    : throw WrongType(field, "timestamp");
                return true;
            case "showSystemEvents" or "showMigrationEvents" or "showRawUpdateDescription" or "allowToRunOnConfigDB" or "allowToRunOnSystemNS":
                return Flag(field)
                    ? throw new CommandException(ErrorCode.CommandNotSupported, $"The option '{field.NameText}' of $changeStream is not supported.")
                    : false;
            default:
                throw new CommandException((ErrorCode)40415, $"BSON field '$changeStream.{field.NameText}' is an unknown field.");
        }
    }

    private static string Text(in RawElement field) => field.Text ?? throw WrongType(field, "string");

    private static bool Flag(in RawElement field) => field.Type == BsonType.Boolean ? field.Truthy : throw WrongType(field, "bool");

    private static CommandException WrongType(in RawElement field, string expected) => new(
        ErrorCode.TypeMismatch,
        $"BSON field '$changeStream.{field.NameText}' is the wrong type '{field.Type.ToString().ToLowerInvariant()}', expected type '{expected}'");

    private static CommandException Unknown(in RawElement field, string value) => new(
        ErrorCode.BadValue, $"Enumeration value '{value}' for field '$changeStream.{field.NameText}' is not a valid value.");
}
