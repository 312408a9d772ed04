using System.Net;
using MongoDB.Bson;
using Platform.Gateway.Errors;

namespace Platform.Gateway.Access;

/// <summary>
/// From where a user may log in (https://www.mongodb.com/docs/v7.0/reference/method/db.createUser/#authentication-restrictions). Of the
/// server's two kinds <c>clientSource</c> is supported.
/// </summary>
internal static class AuthenticationRestrictions
{
    /// <summary>Throws <see cref="CommandException"/> when the restrictions have a wrong form.</summary>
    public static void Check(BsonValue restrictions)
    {
        if (restrictions is not BsonArray list || list.Any(r => r is not BsonDocument))
        {
            throw new CommandException(ErrorCode.TypeMismatch, "authenticationRestrictions must be an array of documents");
        }

        foreach (var field in list.Cast<BsonDocument>().SelectMany(r => r))
        {
            if (field.Name != "clientSource")
            {
                throw new CommandException(
                    ErrorCode.CommandNotSupported, $"authenticationRestrictions has '{field.Name}'; only clientSource is supported.");
            }

            foreach (var source in field.Value is BsonArray sources ? sources : [field.Value])
            {
                if (source is not BsonString text || !AddressRange.TryParse(text.Value, out _))
                {
                    throw new CommandException(ErrorCode.BadValue, $"'{source}' in clientSource is neither an IP address nor a CIDR range");
                }
            }
        }
    }

    /// <summary>Whether an address satisfies one of the restrictions; true when there are none.</summary>
    public static bool Allow(BsonValue restrictions, IPAddress address)
    {
        var client = address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address;
        return restrictions is not BsonArray { Count: > 0 } list || list.OfType<BsonDocument>().Any(restriction =>
            !restriction.TryGetValue("clientSource", out var value)
            || (value is BsonArray sources ? sources : [value]).Any(s => AddressRange.TryParse(s.AsString, out var network) && network.Contains(client)));
    }
}
