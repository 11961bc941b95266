/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Functions of real numbers, made of + - * / and sqrt alone, which IEEE 754 rounds one way: libm's differ in their last
 * bits from one system to another, and what is decided must come out the same on any. Good to about 14 digits unless
 * said otherwise.
 */
#ifndef HOLDFAST_BASE_REAL_H
#define HOLDFAST_BASE_REAL_H

#include <stdbool.h>

#define REAL_UNKNOWN __builtin_nan("")
#define REAL_INFINITY __builtin_inf()

/* Of what is no number, too; a negative x has no root: NAN. */
bool real_is_nan(double x);
double real_sqrt(double x);
/* Natural logarithm; x <= 0 and what is no number: NAN, infinity: infinity. */
double real_log(double x);
/* Below -745 it is 0, above 709 it is as at 709. */
double real_exp(double x);
/* ln Γ(x), x > 0, else NAN. */
double real_lgamma(double x);
/* The share of a standard normal distribution that lies below x; 10 digits, also of what lies far out. */
double real_normal_below(double x);
/* The share of Beta(a, b) that lies below x (regularised incomplete beta function); a, b > 0, 10 digits. */
double real_beta_below(double a, double b, double x);

#endif
