using System.Reflection;

namespace Platform.Api.Requests;

/// <summary>
/// A member of a request that is checked by the rules of a stored member, or by a rule over several fields.
/// </summary>
/// <param name="Request">The request's type.</param>
/// <param name="Member">The request's member, by its name in JSON.</param>
/// <param name="Origin">
/// The stored member whose rules it follows; null when it follows a rule over several fields.
/// </param>
/// <param name="CrossFieldCode">
/// The rule over several fields that it follows; null when it follows those of a member.
/// </param>
public sealed record RequestRule(string Request, string Member, PropertyInfo? Origin, string? CrossFieldCode);
