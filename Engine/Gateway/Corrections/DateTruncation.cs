using MongoDB.Bson;
using Platform.Gateway.Errors;
using Platform.Wire.Bson;

namespace Platform.Gateway.Corrections;

/// <summary>
/// <c>$dateTrunc</c> by days, weeks, months, quarters and years: of days and weeks the backend returns other ones than the date is in; of the
/// longer units the next one for dates before 2000; and it shifts days by an hour where a time zone has summer time. The calendar parts of the date, which
/// it has right, are truncated instead. Bins are counted from the first of January 2000, those of weeks from the first day after it that begins a
/// week, as on the server. It may go when <c>{$dateTrunc: {date: ISODate("1995-03-27T09:50:00Z"), unit: u, timezone: "Europe/Berlin"}}</c>
/// is 1995-03-26T22:00:00Z for u = day and 1995-02-28T23:00:00Z for u = month.
/// </summary>
internal static class DateTruncation
{
    private const long DayMilliseconds = 86_400_000;
    private const long HourMilliseconds = 3_600_000;

    // Years of the backend have four digits, and a bin larger than all of them is a mistake.
    private const long MostDays = 3_700_000;

    private static readonly BsonDateTime s_reference = new(946_684_800_000);

    // From Saturday on, which the reference is.
    private static readonly string[] s_days = ["saturday", "sunday", "monday", "tuesday", "wednesday", "thursday", "friday"];

    /// <summary>
    /// The expression to take instead; null when the backend is right, also in refusing the arguments. Throws <see cref="CommandException"/> when an
    /// argument is not known before the expression is evaluated, but decides how.
    /// </summary>
    public static RawDocument? Of(RawDocument arguments)
    {
        RawElement? date = null, unit = null, size = null, zone = null, start = null;
        foreach (var argument in arguments)
        {
            if (argument.Is("date"u8))
            {
                date = argument;
            }
            else if (argument.Is("unit"u8))
            {
                unit = argument;
            }
            else if (argument.Is("binSize"u8))
            {
                size = argument;
            }
            else if (argument.Is("timezone"u8))
            {
                zone = argument;
            }
            else if (argument.Is("startOfWeek"u8))
            {
                start = argument;
            }
            else
            {
                return null;
            }
        }

        if (date is not { } of || unit is not { } by || IsNull(by) || IsNull(size))
        {
            return null;
        }

        var (months, days) = Constant(by, "unit") switch
        {
            "year" => (12, 0), "quarter" => (3, 0), "month" => (1, 0), "week" => (0, 7), "day" => (0, 1), _ => (0, 0),
        };
        if (months + days == 0 || Bin(size) is not { } bin || (days == 7 ? FirstDay(start) : 0) is not { } offset)
        {
            return null;
        }

        var expression = new BsonBuilder(of.Value.Length + 1024).Start("$let"u8).Start("vars"u8).Start("date"u8).Start("$dateTrunc"u8)
            .Add(of).Add("unit"u8, "millisecond");
        if (zone is { } given)
        {
            // What is no date, and what is no time zone, is refused here.
            expression.Add(given).End().End().Add("zone"u8, given);
        }
        else
        {
            expression.End().End();
        }

        var inside = months > 0 ? Months(months * bin, zone is not null) : Days(days * bin, offset, zone is not null);
        return new RawDocument(expression.End()
            .Add("in"u8, BsonType.Document, (zone is null ? inside : First(inside)).ToRaw().Span).Finish());
    }

    private static bool IsNull(RawElement? element) => element is { Type: BsonType.Null or BsonType.Undefined };

    /// <summary>A string that is the same for every document.</summary>
    private static string Constant(in RawElement element, string name) => element.Text is { } text && !text.StartsWith('$')
        ? text
        : element.Type is BsonType.String or BsonType.Document or BsonType.Array ? throw Refused(name) : "";

    private static long? Bin(RawElement? size) => size switch
    {
        null => 1,
        { Integer: > MostDays } or { Type: BsonType.Decimal128 } => throw Refused("binSize"),
        { Integer: >= 1 and var whole } => whole,
        { Type: BsonType.Document or BsonType.Array } => throw Refused("binSize"),
        { Text: { } text } when text.StartsWith('$') => throw Refused("binSize"),
        _ => null,
    };

    /// <summary>How many days after the reference weeks begin; null when there is no such day.</summary>
    private static int? FirstDay(RawElement? start)
    {
        if (start is not { } given)
        {
            return 1;
        }

        if (IsNull(given))
        {
            return null;
        }

        var name = Constant(given, "startOfWeek");
        var day = Array.FindIndex(s_days, d => d.Equals(name, StringComparison.OrdinalIgnoreCase) || d[..3].Equals(name, StringComparison.OrdinalIgnoreCase));
        return day < 0 ? null : day;
    }

    private static CommandException Refused(string argument) => new(
        ErrorCode.CommandNotSupported, $"$dateTrunc needs a constant '{argument}' here; binSize may be a whole number up to {MostDays}.");

    /// <summary>The first of a month, counted in bins of months since January 2000.</summary>
    private static BsonDocument Months(long bin, bool zoned)
    {
        var since =
            Operation("$subtract", Operation("$add", Operation("$multiply", Part("$year", "$$date", zoned), 12), Part("$month", "$$date", zoned)), 24_001);
        return Let("month", Operation("$add", Floor(since, bin), 24_000), FromParts(
            new BsonDocument
            {
                { "year", new BsonDocument("$toInt", new BsonDocument("$floor", Operation("$divide", "$$month", 12))) },
                { "month", Operation("$add", Operation("$mod", "$$month", 12), 1) },
            },
            zoned));
    }

    /// <summary>The beginning of a day, counted in bins of calendar days since the reference.</summary>
    private static BsonDocument Days(long bin, int offset, bool zoned)
    {
        var local = FromParts(
            new BsonDocument
            {
                { "year", Part("$year", "$$date", zoned) },
                { "month", Part("$month", "$$date", zoned) },
                { "day", Part("$dayOfMonth", "$$date", zoned) },
            }, zoned: false);
        var since = new BsonDocument("$toLong", Operation("$divide", Operation("$subtract", local, s_reference), DayMilliseconds));
        var floor = offset == 0 ? Floor(since, bin) : Operation("$add", Floor(Operation("$subtract", since, offset), bin), offset);
        return Let("day", Operation("$add", s_reference, Operation("$multiply", floor, DayMilliseconds)), FromParts(
            new BsonDocument
            {
                { "year", Part("$year", "$$day", zoned: false) },
                { "month", Part("$month", "$$day", zoned: false) },
                { "day", Part("$dayOfMonth", "$$day", zoned: false) },
            },
            zoned));
    }

    /// <summary>Where the clock goes back over midnight there are two of them, and a day begins with the first; the backend takes the second.</summary>
    private static BsonDocument First(BsonDocument midnight)
    {
        var before = Operation("$subtract", "$$midnight", HourMilliseconds);
        return Let("midnight", midnight, Operation(
            "$cond", Operation("$eq", Part("$dayOfMonth", before, zoned: true), Part("$dayOfMonth", "$$midnight", zoned: true)), before, "$$midnight"));
    }

    private static BsonDocument Floor(BsonDocument number, long bin) => bin == 1
        ? number
        : Operation("$subtract", number, Operation("$mod", Operation("$add", Operation("$mod", number, bin), bin), bin));

    private static BsonDocument FromParts(BsonDocument parts, bool zoned) => new("$dateFromParts", zoned ? parts.Add("timezone", "$$zone") : parts);

    private static BsonDocument Part(string part, BsonValue date, bool zoned) =>
        new(part, zoned ? new BsonDocument { { "date", date }, { "timezone", "$$zone" } } : new BsonDocument("date", date));

    private static BsonDocument Let(string name, BsonValue value, BsonDocument inside) =>
        new("$let", new BsonDocument { { "vars", new BsonDocument(name, value) }, { "in", inside } });

    private static BsonDocument Operation(string name, params ReadOnlySpan<BsonValue> arguments) => new(name, new BsonArray(arguments.ToArray()));
}
