using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Http;

namespace Platform.ServiceDefaults.Http;

/// <summary>
/// The one value of the header <c>Authorization</c> that an endpoint takes. How far another value is right cannot be told from the time it takes.
/// </summary>
/// <param name="value">The value, with its scheme.</param>
public sealed class ExpectedAuthorization(string value)
{
    private readonly byte[] _expected = Encoding.UTF8.GetBytes(value);

    /// <summary>Whether a request has it.</summary>
    /// <param name="http">The request.</param>
    public bool IsShown(HttpContext http)
    {
        ArgumentNullException.ThrowIfNull(http);
        return CryptographicOperations.FixedTimeEquals(Encoding.UTF8.GetBytes(http.Request.Headers.Authorization.ToString()), _expected);
    }
}
